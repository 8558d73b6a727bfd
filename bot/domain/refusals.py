"""Why something cannot be done. The docstring is what the person reads: what is wrong, what to do.

`{name}` in a docstring is filled from the keyword arguments; texts stay on one or two lines.
"""

from bot.domain.text import cut


class Refused(Exception):
    """That cannot be done."""

    denied = False
    """True if the one who asks may not do or see it: the audit trail keeps that."""

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The words for the person who asked."""
        words = " ".join((type(self).__doc__ or "").split())
        return words.format(**{k: cut(str(v), 200) for k, v in self.details.items()})

    @property
    def code(self) -> str:
        """A stable name for machines: `already_resolved`."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class UnknownIncident(Refused):
    """There is no incident {key}. `list` shows the open ones."""


class NoIncidentHere(Refused):
    """This channel belongs to no incident. Say which one: `{verb} INC-7 …`, or use it in the incident's channel."""


class NoOpenIncident(Refused):
    """No incident is open that this could belong to. Declare one first: `/incident declare`"""


class EmptyMessage(Refused):
    """This message has no words that could be kept. Write them yourself: `/incident note INC-7 …`"""


class UnknownCommand(Refused):
    """`{word}` is not a command.{hint} `help` lists them all."""


class NothingToSilence(Refused):
    """No alert of Alertmanager's fires in {key} that `{word}` would name. `timeline` lists what fires."""


class NotAsSent(Refused):
    """Nothing was silenced: the label {labels} is not known here as Alertmanager has it, so the silence would fit no
    alert, or too many. Silence it in Alertmanager itself."""


class TooManySilences(Refused):
    """More than {limit} silences in one incident: that is a change of the alert rules, not a pause. Name one alert."""


class NothingSilenced(Refused):
    """Nothing is silenced in {key} that could be lifted."""


class SilencingOff(Refused):
    """Tocsin cannot call Alertmanager: set `webhooks.alertmanager.url` in tocsin.yaml. Nothing was silenced."""


class MissingArgument(Refused):
    """{what} is missing. Write it like this: `{usage}`"""


class BadArgument(Refused):
    """{what}. Write it like this: `{usage}`"""


class UnknownSeverity(Refused):
    """`{word}` is not a severity. Use sev1, sev2, sev3 or sev4."""


class UnknownStatus(Refused):
    """`{word}` is not a status. Use investigating, identified, monitoring, or `resolve`."""


class TitleTooLong(Refused):
    """The title has {length} characters; the most is {limit}. Nothing was saved.

    Shorten it, and put the rest into an update.
    """


class TitleUnreadable(Refused):
    """A title needs at least one letter or digit, so that people can say it aloud."""


class TextTooLong(Refused):
    """The text has {length} characters; the most is {limit}. Nothing was saved: split it in two."""


class EmptyText(Refused):
    """There is no text. Write it like this: `{usage}`"""


class AlreadyAcknowledged(Refused):
    """{key} was already acknowledged by {by}. Nothing to do."""


class AlreadyOver(Refused):
    """{key} is {status}. Use `reopen because …` first."""


class NotOver(Refused):
    """{key} is still {status}. {what}"""


class AlreadyResolved(Refused):
    """{key} is already {status}. To go on working on it: `reopen because …`"""


class FinallyCancelled(Refused):
    """{key} was cancelled; that is final. Declare a new incident if it is real after all."""


class NothingChanged(Refused):
    """{what} already. Nothing to do."""


class ReasonNeeded(Refused):
    """{what} needs a reason, for the record. Write it like this: `{usage}`"""


class UnknownRole(Refused):
    """`{word}` is not a role here. Use one of: {roles}."""


class UnknownPerson(Refused):
    """`{word}` is not a person I can find. Mention them with @, or use their Slack id."""


class NotAround(Refused):
    """<@{user}> is a bot or has a deactivated account, so nobody would answer. Name somebody else."""


class UnknownService(Refused):
    """`{word}` is not a service in the configuration.{hint} Known: {services}."""


class UnknownSchedule(Refused):
    """There is no rotation `{word}`. Those there are: {schedules}."""


class UnknownOverride(Refused):
    """There is no override {number} that runs or is to come. `oncall override list` shows them."""


class OverrideTooLong(Refused):
    """An override ends after it begins, and lasts at most {limit}: for longer, change the rotation in tocsin.yaml."""


class UnknownRunbook(Refused):
    """There is no runbook "{word}". Known: {runbooks}."""


class NoRunbook(Refused):
    """{key} has no runbook yet. Choose one with `runbook NAME`."""


class UnknownStep(Refused):
    """The runbook has steps 1 to {last}; there is no step {word}."""


class UnknownTask(Refused):
    """{key} has no action item {word}. `status` lists them."""


class NoHandoff(Refused):
    """No handoff to you is waiting in {key}. Whoever is in command offers it: `handoff @someone`."""


class NothingOffered(Refused):
    """Nobody was offered the command of {key}. To offer it: `handoff @someone`."""


class NoDraft(Refused):
    """{key} has no public update waiting. Start one with `public draft`."""


class SecondPersonNeeded(Refused):
    """A {severity} public update needs a second person: someone other than its author must approve it."""

    denied = True


class DraftChanged(Refused):
    """The draft changed since you looked (version {now}, you saw {seen}). Read it again, then approve."""


class NotApproved(Refused):
    """The public update is not approved yet. Somebody approves it with `public approve`, then it can be published."""


class PrivateNeverPublic(Refused):
    """{key} is private, so nothing of it goes to the public status page."""


class NotAllowed(Refused):
    """You may not {what} here. Ask {ask}: `permissions.{permission}` in tocsin.yaml says who may. Nothing was done."""

    denied = True


class NobodyToPage(Refused):
    """Nobody is configured to page for {what}.

    Set `escalations` or `oncall` in tocsin.yaml, or name a person: `page @someone`.
    """


class PersonOrService(Refused):
    """Choose a person or a service: one of the two is paged."""


class NotATime(Refused):
    """`{written}` is no time. Write it like 14:32, yesterday 23:50 or 2026-03-14 09:02."""


class AlreadyMerged(Refused):
    """{key} cannot be merged into itself or into an incident that is over. `list` shows the open ones."""


class PrivateMeetsPublic(Refused):
    """{key} and INC-{into} cannot be merged: one of them is private, and what was said there would be read by others.

    Go on in one of them, and end the other: `cancel because …`.
    """


class NothingToRetry(Refused):
    """There is no failed delivery to retry in {key}. Nothing to do."""


class NothingUndelivered(Refused):
    """There is nothing like that to try again; `undelivered` lists what there is."""


class TooLateToUndo(Refused):
    """{key} can no longer be undone: only its declarer can, within five minutes. Use `cancel because …`."""


class NothingToUndo(Refused):
    """You have declared nothing in the last five minutes that is still open. Use `cancel INC-7 because …`."""


class UnknownTimer(Refused):
    """`{word}` is not a timer one can put off. Those are: {timers}."""


class TimerNotRunning(Refused):
    """{key}: the timer “{what}” does not run. `timers` shows those that do."""


class TimerNotSnoozed(Refused):
    """The timer “{what}” is not put off: {stop}."""


class OldControl(Refused):
    """This control is from an older version or was changed on its way. Nothing was done; `help` shows another way."""
