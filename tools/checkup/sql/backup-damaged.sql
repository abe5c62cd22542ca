-- What the last verification of each backup found.
select
  format(
    'The backup %s is not as it was written: %s problems at %s.',
    b.name,
    b.problems,
    date_trunc('second', b.verified_at)
  ) as problem,
  format(
    'infirmary backup create; then see what the disk does: infirmary backup verify %s',
    b.name
  ) as remedy
from ops.kept_backups() as b
where b.problems > 0
