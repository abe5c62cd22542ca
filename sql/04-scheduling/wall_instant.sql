-- Rules are written in wall-clock time and kept in instants. PostgreSQL's own conversion puts a time in
-- the missing hour an hour later and one in the repeated hour into its second pass: two shifts that
-- meet on the clock would overlap or leave a gap. Here they meet on every day of the year.
create or replace function hospital_private.wall_instant(local timestamp, zone text)
returns timestamptz
language plpgsql
stable
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  as_utc constant timestamptz := wall_instant.local at time zone 'UTC';
  offset_before interval;
  offset_after interval;
  early timestamptz;
  late timestamptz;
  middle timestamptz;
begin
  -- Near infinity a day and a half more would leave the calendar.
  if wall_instant.local not between '0001-01-01' and '9999-12-31' then
    return wall_instant.local at time zone wall_instant.zone;
  end if;
  -- No zone is a day from UTC, and none changes its clocks twice within three.
  offset_before := (as_utc - interval '36 hours') at time zone wall_instant.zone
    - (wall_instant.local - interval '36 hours');
  offset_after := (as_utc + interval '36 hours') at time zone wall_instant.zone
    - (wall_instant.local + interval '36 hours');
  if offset_before = offset_after then
    return as_utc - offset_before;
  end if;

  early := as_utc - greatest(offset_before, offset_after);
  late := as_utc - least(offset_before, offset_after);
  if early at time zone wall_instant.zone = wall_instant.local then
    return early;
  end if;
  if late at time zone wall_instant.zone = wall_instant.local then
    return late;
  end if;
  -- No clock shows it: the clocks jump over it between early and late, at a whole second.
  early := date_trunc('second', early);
  late := date_trunc('second', late);
  while late - early > interval '1 second' loop
    middle := early + date_trunc('second', (late - early) / 2);
    if middle at time zone wall_instant.zone < wall_instant.local then
      early := middle;
    else
      late := middle;
    end if;
  end loop;
  return late;
end;
$$;
comment on function hospital_private.wall_instant(timestamp, text) is
  'The instant at which the clocks of a zone show a time: the first of two where it is repeated, that of the jump where it is missing.';

create or replace function hospital_private.is_second_pass(at timestamptz, zone text)
returns boolean
language plpgsql
stable
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return is_second_pass.at > hospital_private.wall_instant(
    is_second_pass.at at time zone is_second_pass.zone, is_second_pass.zone
  );
end;
$$;
comment on function hospital_private.is_second_pass(timestamptz, text) is
  'Whether the clocks of a zone have shown the same time before, in the hour that is repeated when they are set back.';
