"""Slack's limits, each beside the page that states it. `BK` is Block Kit's reference."""

from __future__ import annotations

from collections.abc import Mapping

# https://docs.slack.dev/reference/methods/conversations.create#naming
CHANNEL_NAME = 80
# https://docs.slack.dev/reference/methods/conversations.setTopic (too_long)
TOPIC = 250
# https://docs.slack.dev/reference/methods/conversations.setPurpose (too_long)
PURPOSE = 250
# https://docs.slack.dev/reference/methods/conversations.invite (users: up to 100)
INVITED_AT_ONCE = 100
# https://docs.slack.dev/reference/methods/conversations.open (users: up to 8)
OPENED_WITH = 8
# https://docs.slack.dev/reference/methods/chat.postMessage#truncating
MESSAGE_TEXT = 40_000
# https://docs.slack.dev/reference/methods/chat.update (msg_too_long), chat.postEphemeral
UPDATE_TEXT = 4_000
# https://docs.slack.dev/reference/methods/pins.add (too_many_pins)
PINS = 100
# https://docs.slack.dev/reference/methods/bookmarks.add (too_many_bookmarks)
BOOKMARKS = 100
# https://docs.slack.dev/reference/methods/reactions.add (too_many_emoji, too_many_reactions)
EMOJI_ON_A_MESSAGE = 50
EMOJI_OF_ONE_PERSON = 23
# https://docs.slack.dev/messaging/message-metadata#size
METADATA_BYTES = 16_000
# https://docs.slack.dev/apis/web-api/pagination
PAGE = 100
PAGE_MOST = 1000
# https://docs.slack.dev/reference/methods/conversations.history (limit: at most 999)
HISTORY_MOST = 999

# https://docs.slack.dev/reference/block-kit/blocks
BLOCKS_IN_MESSAGE = 50
BLOCKS_IN_VIEW = 100
BLOCK_ID = 255
# https://github.com/slackapi/bolt-js/issues/2509 (undocumented; msg_blocks_too_long)
TEXT_OF_ALL_BLOCKS = 13_200
# https://docs.slack.dev/reference/block-kit/blocks/section-block
SECTION_TEXT = 3000
FIELD_TEXT = 2000
FIELDS = 10
# https://docs.slack.dev/reference/block-kit/blocks/header-block
HEADER_TEXT = 150
# https://docs.slack.dev/reference/block-kit/blocks/context-block
CONTEXT_ELEMENTS = 10
# https://docs.slack.dev/reference/block-kit/composition-objects/text-object
TEXT_OBJECT = 3000
# https://docs.slack.dev/reference/block-kit/blocks/actions-block
ACTIONS_ELEMENTS = 25
# https://docs.slack.dev/reference/block-kit/blocks/input-block
LABEL_TEXT = 2000
HINT_TEXT = 2000
# https://docs.slack.dev/reference/block-kit/blocks/image-block
IMAGE_URL = 3000
IMAGE_ALT = 2000
IMAGE_TITLE = 2000
# https://docs.slack.dev/reference/block-kit/blocks/markdown-block
MARKDOWN_TEXT = 12_000
# https://docs.slack.dev/reference/block-kit/block-elements (action_id)
ACTION_ID = 255
# https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
BUTTON_URL = 3000
ACCESSIBILITY_LABEL = 75
# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTION_DESCRIPTION = 75
OPTION_URL = 3000
# https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
OPTIONS = 100
OPTION_GROUPS = 100
GROUP_LABEL = 75
PLACEHOLDER = 150
# https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element
OVERFLOW_OPTIONS = 5
# https://docs.slack.dev/reference/block-kit/block-elements/checkboxes-element, radio-button-…
CHECKBOXES = 10
RADIO_BUTTONS = 10
# https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
INPUT_LENGTH = 3000
# https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
# https://docs.slack.dev/reference/views/modal-views
VIEW_TITLE = 24
VIEW_BUTTON = 24
VIEW_CALLBACK_ID = 255
VIEW_EXTERNAL_ID = 255
PRIVATE_METADATA = 3000
# https://docs.slack.dev/surfaces/modals#view-stack (a stack of three)
VIEW_STACK = 3
# https://docs.slack.dev/reference/methods/views.open (view_too_large: 250 KB)
VIEW_BYTES = 250_000

# https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
RESPONSE_URL_USES = 5
RESPONSE_URL_LIFE = 30 * 60.0

# https://docs.slack.dev/apis/web-api/rate-limits : calls a minute for each method
TIERS: Mapping[str, int] = {"t1": 1, "t2": 20, "t3": 50, "t4": 100, "t5": 300}
# same page: chat.postMessage takes one message a second and channel, short bursts allowed
POSTS_PER_SECOND = 1.0
POSTS_BURST = 5
# https://docs.slack.dev/apis/events-api/using-socket-mode (up to 10 connections)
LINKS = 10
