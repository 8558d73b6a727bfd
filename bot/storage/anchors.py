"""How far the record streams are, noted in their incidents' rows: also where nothing was decided for a while.

Each change of an incident notes it on the way (`bot/storage/write.py`). What is observed does not: messages never wait
for a decision, nor the reverse. So what was observed since is noted once in a while.
"""

from sqlalchemy import Connection, bindparam, exists, or_, select, update

from bot.storage.tables import incidents, record_heads, records


def note(conn: Connection) -> None:
    """Note it in the rows that are behind. One that is just being changed is passed over: it does so itself.

    One whose entry is not there any more stays as it is: `verify` shall find it.
    """
    t, h, r = incidents.c, record_heads.c, records.c
    there = exists().where(r.incident == t.number, r.seq == t.record_seq, r.hash == t.record_hash)
    behind = select(t.number, h.seq, h.hash).join(record_heads, h.incident == t.number)
    behind = behind.where(t.record_seq < h.seq, or_(t.record_seq == 0, there))
    rows = conn.execute(behind.order_by(t.number).with_for_update(of=incidents, skip_locked=True)).all()
    if rows:
        noted = update(incidents).where(t.number == bindparam("n"))
        noted = noted.values(record_seq=bindparam("far"), record_hash=bindparam("end"))
        conn.execute(noted, [{"n": number, "far": seq, "end": end} for number, seq, end in rows])
