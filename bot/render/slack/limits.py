"""Slack's limits, each a named constant beside its source. Lengths are in characters unless said otherwise."""

from typing import Final

# --- blocks: https://docs.slack.dev/reference/block-kit/blocks --------------------------------------------
BLOCKS_IN_MESSAGE: Final = 50
BLOCKS_IN_VIEW: Final = 100
BLOCK_ID: Final = 255
SECTION_TEXT: Final = 3000  # …/blocks/section-block
FIELD_TEXT: Final = 2000  # …/blocks/section-block
FIELDS: Final = 10  # …/blocks/section-block
HEADER_TEXT: Final = 150  # …/blocks/header-block, plain_text only
CONTEXT_ELEMENTS: Final = 10  # …/blocks/context-block
ACTIONS_ELEMENTS: Final = 25  # …/blocks/actions-block
LABEL_TEXT: Final = 2000  # …/blocks/input-block, the hint as well
MESSAGE_CHARACTERS: Final = 13_000
"""All texts of one message's blocks together; Slack answers `msg_blocks_too_long` near 13,200.
Undocumented: https://github.com/slackapi/bolt-js/issues/2509"""

# --- elements: https://docs.slack.dev/reference/block-kit/block-elements ----------------------------------
ACTION_ID: Final = 255
BUTTON_TEXT: Final = 75  # …/block-elements/button-element
BUTTON_VALUE: Final = 2000  # …/block-elements/button-element
BUTTON_URL: Final = 3000  # …/block-elements/button-element
PLACEHOLDER: Final = 150  # …/block-elements/select-menu-element
OPTIONS: Final = 100  # …/block-elements/select-menu-element
OVERFLOW_OPTIONS: Final = 5  # …/block-elements/overflow-menu-element
BOXES: Final = 10  # …/block-elements/checkboxes-element, radio-button-group-element
INPUT_LENGTH: Final = 3000  # …/block-elements/plain-text-input-element

# --- composition objects: https://docs.slack.dev/reference/block-kit/composition-objects ------------------
TEXT_OBJECT: Final = 3000  # …/composition-objects/text-object
OPTION_TEXT: Final = 75  # …/composition-objects/option-object, its description as well
OPTION_VALUE: Final = 150  # …/composition-objects/option-object
CONFIRM_TITLE: Final = 100  # …/composition-objects/confirmation-dialog-object
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

# --- views: https://docs.slack.dev/reference/views/modal-views --------------------------------------------
VIEW_TITLE: Final = 24
VIEW_BUTTON: Final = 24
CALLBACK_ID: Final = 255
PRIVATE_METADATA: Final = 3000

# --- methods ----------------------------------------------------------------------------------------------
TOPIC: Final = 250  # https://docs.slack.dev/reference/methods/conversations.setTopic (too_long)
CHANNEL_NAME: Final = 80  # https://docs.slack.dev/reference/methods/conversations.create
BOOKMARK_TITLE: Final = 255  # https://docs.slack.dev/reference/methods/bookmarks.add
NOTICE_TEXT: Final = 700
"""Our own: the `text` beside blocks is only a notification. chat.update refuses more than 4,000 bytes after escaping
(https://docs.slack.dev/reference/methods/chat.update, msg_too_long); 700 characters stay below it in any script."""
