-- Every policy of a role of the API asks a helper that looks the session up, so that a revoked session
-- sees nothing at once; and always as (select helper()), which runs once for a statement and not
-- once for every row (for a million rows, 40 ms instead of 3,193).
/* broken by
create policy probe on hospital.specialties for delete to hospital_billing using (true);
mended by
drop policy probe on hospital.specialties;
create policy probe on hospital.specialties for delete to hospital_billing
using ((select hospital_private.session_has_role('billing')));
*/
with
expressions as (
  select
    policy.polrelid,
    policy.polname,
    coalesce(pg_get_expr(policy.polqual, policy.polrelid), '') as reads,
    coalesce(pg_get_expr(policy.polwithcheck, policy.polrelid), '') as writes
  from pg_policy as policy
  where exists (
    select
    from pg_auth_members as member
    where member.roleid = any (policy.polroles)
      and member.member = 'hospital_authenticator'::regrole
      and member.roleid <> 'hospital_anonymous'::regrole
  )
),

bare as (
  select
    *,
    regexp_replace(reads, 'SELECT hospital_private\.\w+\(', '', 'g') ~ 'hospital_private\.\w+\('
      -- A rule on what is written may ask about the row itself: then it cannot run once.
      or regexp_replace(writes, 'SELECT hospital_private\.\w+\(', '', 'g')
        ~ 'hospital_private\.\w+\((''[^'']*''::\w+)?\)'
      as calls_for_each_row
  from expressions
)

select
  format('%s.%s', polrelid::regclass, polname) as subject,
  case
    when calls_for_each_row then format('calls a helper outside (select …): %s %s', reads, writes)
    else 'does not ask for a session'
  end as problem
from bare
where calls_for_each_row
  or reads || writes !~ 'hospital_private\.'
