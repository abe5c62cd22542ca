-- Without a key their rows could not be told apart elsewhere, and while all tables are published (an upgrade to
-- another server) writing them anew would be refused.
alter table masked.published_appointments replica identity full;
alter table masked.published_diagnoses replica identity full;
