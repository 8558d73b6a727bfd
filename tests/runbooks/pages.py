"""A small, complete runbook to change one thing of."""

import yaml

from bot.domain.runbook_file import SECTIONS

DEFAULTS = {
    "Diagnosis": "1. Look.\n",
    "Resolution": "2. Restart.\n\n   ```sh\n   systemctl restart {{ labels.service }}\n   ```\n",
    "Verification": "3. Look again.\n",
}


def page(**changes: object) -> str:
    """Return a runbook's text. `Impact=…` changes a section, None drops it; what is no section is front matter."""
    front = {"title": "A runbook", "owner": "us", "last_reviewed": "2026-11-22"}
    front |= {key: value for key, value in changes.items() if key not in SECTIONS}
    parts = ["---", yaml.safe_dump(front, allow_unicode=True).strip(), "---", "", "# A runbook", ""]
    for name in SECTIONS:
        text = changes.get(name, DEFAULTS.get(name, f"- {name}.\n"))
        if text is not None:
            parts += [f"## {name}", "", str(text)]
    return "\n".join(parts)
