insert into ops.alert_kinds (code, description)
values
  ('backup_overdue', 'The newest backup is older than a day and two hours: see how the last runs of nightly_backup ended, and try infirmary backup create.'),
  ('backup_damaged', 'A backup is not as it was written: make a new one, and then find out with infirmary backup verify what the disk of the repository does.');
