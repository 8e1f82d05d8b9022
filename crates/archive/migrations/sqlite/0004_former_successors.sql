-- Whose place somebody else took once, and does not any more: what counted by that goes on counting, and the audit has to know of it.
CREATE TABLE former_successor (
    employee_no TEXT NOT NULL CHECK (length(employee_no) <= 200),
    successor TEXT NOT NULL CHECK (length(successor) <= 200),
    PRIMARY KEY (employee_no, successor)
) STRICT;
