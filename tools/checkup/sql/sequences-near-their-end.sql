-- The last number is followed by an error, and nothing can be booked any more.
select
  format('%s has given %s of %s numbers.', s.sequence_name, s.last_value, s.max_value) as problem,
  format(
    'In a migration: make the column and the sequence larger, alter sequence %s as bigint',
    s.sequence_name
  ) as remedy
from ops.sequence_positions() as s
where s.last_value > 0.75 * s.max_value
