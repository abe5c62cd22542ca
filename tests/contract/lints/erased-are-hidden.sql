-- The row of a patient who was erased is shown to administrators alone: for everybody else there is no
-- such patient, as for whoever never came.
/* broken by
create policy probe on hospital.patients for select to hospital_billing
using ((select hospital_private.session_has_role('billing')));
mended by
drop policy probe on hospital.patients;
create policy probe on hospital.patients for select to hospital_billing
using ((select hospital_private.session_has_role('billing')) and erased_at is null);
*/
select
  policy.polname::text as subject,
  'shows patients who were erased' as problem
from pg_policy as policy
where policy.polrelid = 'hospital.patients'::regclass
  and policy.polcmd in ('r', '*')
  and not policy.polroles <@ array['hospital_owner'::regrole, 'hospital_administrator'::regrole]::oid[]
  and coalesce(pg_get_expr(policy.polqual, policy.polrelid), '') !~ 'erased_at IS NULL'
