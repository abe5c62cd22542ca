-- hospital_monitor watches: `/metrics`, check-ups and the state of standbys are read through it. It reads figures and
-- names of things, never a row of a patient, a key or the text of a statement with its values.
call hospital_private.reset_access('hospital_monitor');
grant usage on schema ops to hospital_monitor;
