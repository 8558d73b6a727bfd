// Short names and their characters: the common part of Slack's set, and what incidents need.

import { h } from "./dom.js";

const GROUPS = {
  Incidents: `rotating_light 🚨 fire 🔥 warning ⚠️ no_entry ⛔ no_entry_sign 🚫 octagonal_sign 🛑 stop_sign 🛑 white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️
    x ❌ negative_squared_cross_mark ❎ eyes 👀 pushpin 📌 round_pushpin 📍 stopwatch ⏱️ alarm_clock ⏰ timer_clock ⏲️ hourglass ⌛ hourglass_flowing_sand ⏳ mega 📣 loudspeaker 📢 bell 🔔 no_bell 🔕
    red_circle 🔴 large_orange_circle 🟠 orange_circle 🟠 large_yellow_circle 🟡 yellow_circle 🟡 large_green_circle 🟢 green_circle 🟢 large_blue_circle 🔵 blue_circle 🔵 large_purple_circle 🟣 purple_circle 🟣 large_brown_circle 🟤 white_circle ⚪ black_circle ⚫
    large_red_square 🟥 red_square 🟥 large_orange_square 🟧 large_yellow_square 🟨 large_green_square 🟩 large_blue_square 🟦 large_purple_square 🟪 white_large_square ⬜ black_large_square ⬛
    large_blue_diamond 🔷 large_orange_diamond 🔶 small_blue_diamond 🔹 small_orange_diamond 🔸 small_red_triangle 🔺 small_red_triangle_down 🔻 bangbang ‼️ exclamation ❗ heavy_exclamation_mark ❗ grey_exclamation ❕ question ❓ grey_question ❔ interrobang ⁉️
    zap ⚡ boom 💥 bug 🐛 wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ gear ⚙️ nut_and_bolt 🔩 fire_extinguisher 🧯 fire_engine 🚒 ambulance 🚑 police_car 🚓 construction 🚧 sos 🆘 helmet_with_white_cross ⛑️ lifebuoy 🛟 ring_buoy 🛟 pager 📟
    firefighter 🧑‍🚒 male-firefighter 👨‍🚒 female-firefighter 👩‍🚒 thermometer 🌡️ shield 🛡️ key 🔑 lock 🔒 unlock 🔓 closed_lock_with_key 🔐 mute 🔇 sound 🔉 loud_sound 🔊 speaker 🔈 satellite_antenna 📡`,
  Work: `memo 📝 pencil 📝 pencil2 ✏️ clipboard 📋 book 📖 books 📚 bookmark 🔖 bookmark_tabs 📑 page_facing_up 📄 page_with_curl 📃 scroll 📜 newspaper 📰 calendar 📆 date 📅 spiral_calendar_pad 🗓️ card_index_dividers 🗂️ file_folder 📁 open_file_folder 📂
    chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 mag 🔍 mag_right 🔎 link 🔗 paperclip 📎 scissors ✂️ package 📦 inbox_tray 📥 outbox_tray 📤 incoming_envelope 📨 envelope ✉️ email 📧 e-mail 📧 bulb 💡 battery 🔋 electric_plug 🔌 computer 💻 desktop_computer 🖥️ keyboard ⌨️ floppy_disk 💾 cd 💿 file_cabinet 🗄️ wastebasket 🗑️
    iphone 📱 telephone ☎️ phone ☎️ telephone_receiver 📞 credit_card 💳 moneybag 💰 shopping_trolley 🛒 truck 🚚 rocket 🚀 airplane ✈️ ship 🚢 anchor ⚓ label 🏷️ triangular_flag_on_post 🚩 checkered_flag 🏁 white_flag 🏳️ trophy 🏆 medal 🏅 dart 🎯 tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 test_tube 🧪 microscope 🔬 dna 🧬 robot_face 🤖 globe_with_meridians 🌐 earth_africa 🌍 earth_americas 🌎 earth_asia 🌏 house 🏠 office 🏢 factory 🏭 hospital 🏥 bank 🏦
    arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️ arrow_upper_right ↗️ arrow_lower_right ↘️ arrows_counterclockwise 🔄 arrows_clockwise 🔃 repeat 🔁 back 🔙 soon 🔜 fast_forward ⏩ rewind ⏪ black_right_pointing_triangle_with_double_vertical_bar ⏯️ double_vertical_bar ⏸️ black_square_for_stop ⏹️ arrow_forward ▶️ heavy_plus_sign ➕ heavy_minus_sign ➖ information_source ℹ️ new 🆕 ok 🆗 up 🆙 recycle ♻️ infinity ♾️
    zero 0️⃣ one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ keycap_ten 🔟 hash #️⃣ a 🅰️ b 🅱️`,
  People: `+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 ok_hand 👌 wave 👋 raised_hands 🙌 clap 👏 pray 🙏 muscle 💪 point_up ☝️ point_up_2 👆 point_down 👇 point_left 👈 point_right 👉 raised_hand ✋ hand ✋ raising_hand 🙋 man-raising-hand 🙋‍♂️ woman-raising-hand 🙋‍♀️ handshake 🤝 fist ✊ facepunch 👊 punch 👊 v ✌️ crossed_fingers 🤞 writing_hand ✍️ salute 🫡 saluting_face 🫡 call_me_hand 🤙 spock-hand 🖖 shrug 🤷 man-shrugging 🤷‍♂️ woman-shrugging 🤷‍♀️ face_palm 🤦 facepalm 🤦
    busts_in_silhouette 👥 bust_in_silhouette 👤 technologist 🧑‍💻 male-technologist 👨‍💻 female-technologist 👩‍💻 male-detective 🕵️‍♂️ sleuth_or_spy 🕵️ crown 👑 brain 🧠 ear 👂 speech_balloon 💬 thought_balloon 💭 left_speech_bubble 🗨️ zzz 💤
    smile 😄 smiley 😃 grinning 😀 grin 😁 joy 😂 rolling_on_the_floor_laughing 🤣 laughing 😆 sweat_smile 😅 slightly_smiling_face 🙂 upside_down_face 🙃 wink 😉 blush 😊 innocent 😇 heart_eyes 😍 star-struck 🤩 sunglasses 😎 nerd_face 🤓 face_with_monocle 🧐 thinking_face 🤔 thinking 🤔 face_with_raised_eyebrow 🤨 neutral_face 😐 expressionless 😑 zipper_mouth_face 🤐 face_with_rolling_eyes 🙄 smirk 😏 unamused 😒 grimacing 😬 relieved 😌 pensive 😔 sleepy 😪 sleeping 😴 mask 😷 dizzy_face 😵 exploding_head 🤯 hot_face 🥵 cold_face 🥶 partying_face 🥳 confused 😕 worried 😟 slightly_frowning_face 🙁 open_mouth 😮 astonished 😲 flushed 😳 fearful 😨 cold_sweat 😰 disappointed 😞 disappointed_relieved 😥 cry 😢 sob 😭 scream 😱 persevere 😣 sweat 😓 weary 😩 tired_face 😫 triumph 😤 rage 😡 angry 😠 melting_face 🫠 skull 💀 ghost 👻 clown_face 🤡 see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊`,
  "Everything else": `heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 broken_heart 💔 sparkling_heart 💖 100 💯 sparkles ✨ star ⭐ star2 🌟 dizzy 💫 sunny ☀️ cloud ☁️ partly_sunny ⛅ rain_cloud 🌧️ thunder_cloud_and_rain ⛈️ snowflake ❄️ tornado 🌪️ rainbow 🌈 ocean 🌊 volcano 🌋 droplet 💧 sweat_drops 💦 seedling 🌱 evergreen_tree 🌲 four_leaf_clover 🍀 mushroom 🍄
    coffee ☕ tea 🍵 pizza 🍕 hamburger 🍔 cake 🍰 birthday 🎂 cookie 🍪 doughnut 🍩 beer 🍺 beers 🍻 champagne 🍾 popcorn 🍿 banana 🍌 apple 🍎 avocado 🥑 hot_pepper 🌶️ salt 🧂 dog 🐶 cat 🐱 snake 🐍 elephant 🐘 penguin 🐧 unicorn_face 🦄 turtle 🐢 snail 🐌 crab 🦀 octopus 🐙 whale 🐳 bee 🐝 owl 🦉 duck 🦆 crystal_ball 🔮 game_die 🎲 jigsaw 🧩 video_game 🎮 musical_note 🎵 guitar 🎸 movie_camera 🎥 camera 📷 umbrella ☂️ eyeglasses 👓 knot 🪢 chains ⛓️ bomb 💣 candle 🕯️ toilet 🚽 broom 🧹 bucket 🪣 soap 🧼 ladder 🪜 magnet 🧲 pill 💊 syringe 💉 adhesive_bandage 🩹 stethoscope 🩺`,
};

export const EMOJI = new Map();
/** [group, [names]] for the picker, one name a character. */
export const SHELVES = Object.entries(GROUPS).map(([title, table]) => {
  const words = table.trim().split(/\s+/);
  const seen = new Set();
  const names = [];
  for (let at = 0; at < words.length; at += 2) {
    EMOJI.set(words[at], words[at + 1]);
    if (!seen.has(words[at + 1])) names.push(words[at]);
    seen.add(words[at + 1]);
  }
  return [title, names];
});

const TONES = { 2: "🏻", 3: "🏼", 4: "🏽", 5: "🏾", 6: "🏿" };

/** Return the characters of a short name such as `wave::skin-tone-3`, or null. */
export function characters(name) {
  const [base, tone] = String(name).split("::");
  const plain = EMOJI.get(base);
  if (!plain) return null;
  const number = tone?.match(/^skin-tone-([2-6])$/)?.[1];
  if (!number) return plain;
  // The tone follows the first sign of a joined sequence and replaces its variation selector.
  const [first, ...rest] = plain.split("\u200d");
  return [first.replace(/\ufe0f$/, "") + TONES[number], ...rest].join("\u200d");
}

/** A span for a short name; one that nobody drew stays in its colons. */
export function emojiNode(name, fallback = `:${name}:`) {
  const drawn = characters(name);
  if (!drawn) return h("span", { class: "emoji-unknown" }, fallback);
  return h("span", { class: "emoji", role: "img", "aria-label": String(name).replaceAll("_", " "), title: `:${name}:` }, drawn);
}
