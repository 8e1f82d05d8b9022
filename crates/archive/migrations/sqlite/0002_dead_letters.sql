-- The dead letters: a row for each report that could not be filed, by its origin, and what people and the desk have done about it.

CREATE TABLE dead_letter (
    -- Empty where the report is in scores.raw of this installation; the topic of a foreign letter otherwise.
    topic TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    family TEXT NOT NULL,
    state TEXT NOT NULL,
    -- Empty where the report is known to be filed, and its letter was not read yet.
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    source TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    first_failed_ms INTEGER NOT NULL,
    last_failed_ms INTEGER NOT NULL,
    -- Where its latest letter stands in scores.dlq.
    letter_partition INTEGER,
    letter_offset INTEGER,
    group_id BLOB NOT NULL,
    result_id BLOB,
    mapping_version INTEGER,
    received_ms INTEGER,
    -- A redriven letter waits to be sent until sent_ms is there.
    queued_ms INTEGER,
    sent_ms INTEGER,
    requested_by TEXT,
    closed_ms INTEGER,
    closed_by TEXT,
    closing_reason TEXT,
    PRIMARY KEY (topic, generation, partition, place)
);
CREATE INDEX dead_letter_open ON dead_letter (first_failed_ms, topic, generation, partition, place) WHERE state = 'open';
CREATE INDEX dead_letter_group ON dead_letter (group_id, topic, generation, partition, place, first_failed_ms) WHERE state = 'open';
CREATE INDEX dead_letter_group_all ON dead_letter (group_id);
CREATE INDEX dead_letter_closed ON dead_letter (closed_ms) WHERE closed_ms IS NOT NULL;
CREATE INDEX dead_letter_reason ON dead_letter (source, reason, mapping_version, first_failed_ms) WHERE state = 'open';
CREATE INDEX dead_letter_waiting ON dead_letter (queued_ms, topic, generation, partition, place) WHERE state = 'redriven' AND sent_ms IS NULL;
CREATE INDEX dead_letter_state ON dead_letter (state);
CREATE INDEX dead_letter_result ON dead_letter (result_id);

-- What a letter holds: apart from it, as letters are counted far more often than read.
CREATE TABLE letter_body (
    topic TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    record_key BLOB,
    record_value BLOB,
    -- A JSON array of name and text, or hex where it is none.
    headers TEXT NOT NULL,
    -- A JSON object of the report's fields, where it could be read.
    fields TEXT,
    PRIMARY KEY (topic, generation, partition, place)
);

-- Letters that are one problem.
CREATE TABLE letter_group (
    group_id BLOB NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    field TEXT,
    -- A JSON array of kind, system and normalised value; empty where it is not about a person.
    identities TEXT NOT NULL,
    -- When a letter of it was taken in last.
    touched_ms INTEGER NOT NULL
);

-- By whose appearance a group can be filed.
CREATE TABLE letter_identity (
    identity_hash BLOB NOT NULL,
    group_id BLOB NOT NULL,
    touched_ms INTEGER NOT NULL,
    PRIMARY KEY (identity_hash, group_id)
);

-- Where the desk goes on in each partition that it reads.
CREATE TABLE desk_position (
    topic TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    topic_id TEXT NOT NULL,
    next_offset INTEGER NOT NULL,
    partition_count INTEGER NOT NULL,
    schemas TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (topic, generation, partition)
);

-- What was filed by people's decisions, which are few.
CREATE INDEX training_record_alias ON training_record (matched_by) WHERE matched_by LIKE 'alias:%';

-- What people did at the desk.
CREATE TABLE desk_event (
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    topic TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL
);
CREATE INDEX desk_event_letter ON desk_event (topic, generation, partition, place);
CREATE INDEX desk_event_time ON desk_event (at_ms);

-- Refusals that a person has decided to be nothing. What was refused stays.
CREATE TABLE refusal_discarded (
    topic TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    closed_ms INTEGER NOT NULL,
    closed_by TEXT NOT NULL,
    closing_reason TEXT NOT NULL,
    PRIMARY KEY (topic, generation, partition, place)
);

-- The refusals as letters, for the same list: named by where the refused score stands in scores.enriched. Each waits for a person, unless one has discarded it.
CREATE INDEX refused_score_list ON refused_score (COALESCE(received_ms, 0), enriched_generation, enriched_partition, enriched_offset);
CREATE VIEW refused_letter AS
SELECT
    'scores.enriched' AS topic, enriched_generation AS generation, enriched_partition AS partition, enriched_offset AS place,
    'archive' AS family, CASE WHEN discarded.closed_ms IS NULL THEN 'open' ELSE 'discarded' END AS state, reason, '' AS message, COALESCE(source, '') AS source, 1 AS attempt,
    COALESCE(received_ms, 0) AS first_failed_ms, COALESCE(received_ms, 0) AS last_failed_ms,
    COALESCE(result_id, X'00000000000000000000000000000000') AS group_id,
    result_id, mapping_version, received_ms,
    NULL AS requested_by, discarded.closed_ms, discarded.closed_by, discarded.closing_reason,
    employee_no,
    json_object(
        'employee_no', employee_no, 'employee_name', employee_name, 'course_id', course_id, 'course_title', course_title,
        'exam_id', exam_id, 'exam_title', exam_title, 'attempt', CAST(attempt AS TEXT),
        'exam_score', rtrim(rtrim(CASE WHEN exam_score_millionths IS NOT NULL THEN
            printf('%s%d.%06d', CASE WHEN exam_score_millionths < 0 THEN '-' ELSE '' END,
                abs(exam_score_millionths) / 1000000, abs(exam_score_millionths) % 1000000) END, '0'), '.'),
        'grade', grade, 'status', status, 'revision', CAST(revision AS TEXT)
    ) AS fields
FROM refused_score LEFT JOIN refusal_discarded AS discarded ON discarded.topic = 'scores.enriched'
    AND discarded.generation = enriched_generation AND discarded.partition = enriched_partition AND discarded.place = enriched_offset;
