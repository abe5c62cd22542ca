-- One decision of a person is one change here: all calendars of all that is left are locked in one
-- call, so no other booking comes in between and nobody waits in a circle.
create or replace function hospital.cancel_series(
  series_id bigint,
  from_date date default null,
  cancellation_reason text default 'patient_request'
)
returns hospital.appointment_series
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  series hospital.appointment_series := hospital_private.series(cancel_series.series_id);
  ids bigint[];
  doctors bigint[];
  rooms bigint[];
  calendars jsonb;
  locked jsonb;
begin
  -- Look, lock, look again: one of them may have been moved meanwhile.
  loop
    select
      coalesce(array_agg(a.id order by a.id), '{}'),
      coalesce(array_agg(distinct a.doctor_id), '{}'),
      coalesce(array_agg(distinct a.room_id), '{}')
    into ids, doctors, rooms
    from hospital.appointments as a
    where a.series_id = series.id
      and a.status in ('held', 'scheduled')
      and a.starts_at > clock_timestamp()
      and (
        cancel_series.from_date is null
        or (a.starts_at at time zone hospital_private.doctor_time_zone(a.doctor_id))::date
          >= cancel_series.from_date
      );
    calendars := jsonb_build_array(ids, doctors, rooms);
    exit when calendars = locked;
    perform hospital_private.lock_calendars(
      doctors, array[series.patient_id], rooms, appointment_ids => ids
    );
    locked := calendars;
  end loop;

  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = cancel_series.cancellation_reason
  where a.id = any (ids)
    and a.status in ('held', 'scheduled');
  return series;
end;
$$;
comment on function hospital.cancel_series(bigint, date, text) is
  'Calls off what is still to come of a series, or what is from a local date on, with a coded reason, and offers the freed times to the waitlist; what the caller may not cancel stays. Repeated it changes nothing. Raises NTFND, RETRY.';
