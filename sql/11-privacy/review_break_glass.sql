create or replace function hospital.review_break_glass(
  grant_id bigint,
  outcome text,
  remark text default null
)
returns hospital.break_glass_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  emergency hospital.break_glass_grants;
begin
  if review_break_glass.outcome is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Say what the review found.';
  end if;
  update hospital.break_glass_grants as g
  set outcome = review_break_glass.outcome,
    review_remark = review_break_glass.remark
  where g.id = review_break_glass.grant_id
    and g.reviewed_at is null
  returning g.*
  into emergency;
  return hospital_private.found_break_glass(emergency);
end;
$$;
comment on function hospital.review_break_glass(bigint, text, text) is
  'Records what the review of somebody else''s emergency access found, once. Raises NTFND, MISSA.';

create or replace function hospital.break_glass_reviews_due()
returns setof hospital.break_glass_grants
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select g.*
  from hospital.break_glass_grants as g
  where g.reviewed_at is null
    and g.account_id <> (select hospital_private.current_account_id())
  order by
    g.review_due_at,
    g.id;
$$;
comment on function hospital.break_glass_reviews_due() is
  'The emergency accesses that the caller may review and nobody has, the most urgent first.';
