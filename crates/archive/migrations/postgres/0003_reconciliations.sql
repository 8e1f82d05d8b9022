-- What each scheduled comparison of a source's own list with the archive came to.

CREATE TABLE reconciliation (
    source text NOT NULL,
    -- When it was to run: whoever writes the row first runs it.
    due_ms bigint NOT NULL,
    begun_ms bigint NOT NULL,
    ended_ms bigint,
    -- agreed, differs or failed; null while it runs.
    outcome text,
    listed bigint NOT NULL DEFAULT 0,
    archived bigint NOT NULL DEFAULT 0,
    -- A JSON object: how many results differ in which way.
    classes text NOT NULL DEFAULT '{}',
    -- Reports that were sent to bring the archive up to date.
    sent bigint NOT NULL DEFAULT 0,
    problem text,
    PRIMARY KEY (source, due_ms)
);
CREATE INDEX reconciliation_due ON reconciliation (due_ms);
