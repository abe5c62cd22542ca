-- Once granted, an emergency access ends early or is reviewed, and nothing else about it changes, on any
-- path: nobody makes it longer, moves it to another patient or finds another reason afterwards.
create or replace function hospital_private.guard_break_glass()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform hospital_private.require_glass_reviewed(new.account_id);
    new.bars_next := (
      select r.break_glass_waits_for_review
      from hospital_private.privacy_rules as r
    );
    -- Tools load what has ended and was reviewed; whoever asks for himself asks for the time to come.
    if hospital_private.current_account_id() is not null then
      new.ended_at := null;
      new.outcome := null;
      new.review_remark := null;
      new.reviewed_at := null;
      new.reviewed_by := null;
    end if;
    return new;
  end if;

  if hospital_private.is_being_erased(old.patient_id) then
    return new;
  end if;
  if (
      new.id, new.account_id, new.staff_member_id, new.role, new.patient_id, new.category, new.reason,
      new.granted, new.review_due_at, new.bars_next
    ) is distinct from (
      old.id, old.account_id, old.staff_member_id, old.role, old.patient_id, old.category, old.reason,
      old.granted, old.review_due_at, old.bars_next
    )
    or (
      new.ended_at is distinct from old.ended_at
      and (old.ended_at is not null or upper(old.granted) <= clock_timestamp())
    )
    or (
      old.reviewed_at is not null
      and (new.reviewed_at, new.reviewed_by, new.outcome, new.review_remark)
        is distinct from (old.reviewed_at, old.reviewed_by, old.outcome, old.review_remark)
    )
  then
    raise exception using
      errcode = 'KEPTT',
      message = 'An emergency access stays as it was granted, ended and reviewed.';
  end if;
  -- When it ended and who reviewed it is not for the writer to say.
  if new.ended_at is distinct from old.ended_at then
    new.ended_at := clock_timestamp();
  end if;
  if new.outcome is distinct from old.outcome then
    new.reviewed_at := clock_timestamp();
    new.reviewed_by := coalesce(hospital_private.current_account_id(), new.reviewed_by);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_break_glass() is
  'Trigger: keeps an emergency access as it was granted, and stamps its end and its review. Raises KEPTT, RVIEW. Lends the owner''s right to read the rules and to ask who is there.';

create or replace trigger _300_guard
  before insert or update on hospital.break_glass_grants
  for each row execute function hospital_private.guard_break_glass();

create or replace function hospital_private.require_glass_reviewed(account_id bigint)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if (select r.break_glass_waits_for_review from hospital_private.privacy_rules as r)
    and exists (
      select
      from hospital.break_glass_grants as g
      where g.account_id = require_glass_reviewed.account_id
        and g.reviewed_at is null
    )
  then
    raise exception using
      errcode = 'RVIEW',
      message = 'Your last emergency access has not been reviewed yet.',
      hint = 'Ask an administrator to review it.';
  end if;
end;
$$;
comment on function hospital_private.require_glass_reviewed(bigint) is
  'Raises RVIEW while an emergency access of the account waits for its review, where the rules make the next one wait.';
