-- Nothing says what was left out: that a treatment was given to somebody is all there is to tell of him.
-- Who knows his own numbers takes them from his department's, so a doctor is told of it where enough
-- patients of two colleagues or more remain (as in department_counts).
create or replace function warehouse.told_cells(
  reader warehouse.reader,
  kind text,
  from_date date,
  until_date date,
  department_id bigint,
  doctor_id bigint
)
returns setof warehouse.clinical_cell
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select
    c.item,
    c.month,
    c.department_id,
    c.doctor_id,
    c.visits
  from warehouse.mv_clinical_cells as c
  left join warehouse.mv_clinical_cells as own
    on own.kind = c.kind
    and own.item = c.item
    and own.month = c.month
    and own.department_id = c.department_id
    and own.doctor_id = (told_cells.reader).doctor_id
  where c.kind = told_cells.kind
    -- A rule that has become stricter holds before the view is filled again.
    and c.smallest_cell >= (select hospital_private.smallest_cell())
    and (told_cells.from_date is null or c.month >= told_cells.from_date)
    and (told_cells.until_date is null or c.month < told_cells.until_date)
    and c.doctor_id = coalesce(told_cells.doctor_id, 0)
    and case
      when (told_cells.reader).sees_all then c.is_told
        and case
          when told_cells.department_id is not null then c.department_id = told_cells.department_id
          else (c.department_id = 0) = (told_cells.doctor_id is null)
        end
      else c.doctor_id = 0
        and c.department_id = (told_cells.reader).department_id
        and c.department_id
          = coalesce(told_cells.department_id, (told_cells.reader).department_id)
        and c.patients - coalesce(own.patients, 0) >= c.smallest_cell
        and c.doctors - coalesce(own.doctors, 0) >= 2
    end;
$$;
comment on function warehouse.told_cells(warehouse.reader, text, date, date, bigint, bigint) is
  'The symptoms or treatments of months that begin from from_date and before until_date of which the reader may be told: an administrator of the hospital, a department or a doctor, a doctor of his department.';
