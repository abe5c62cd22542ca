-- None of our functions is marked leakproof: such a function runs before the policies do, on rows that the
-- reader may not see.
/* broken by postgres
alter function hospital.patients_full_name(hospital.patients) leakproof;
mended by
alter function hospital.patients_full_name(hospital.patients) not leakproof;
*/
select
  function.oid::regprocedure::text as subject,
  'is marked leakproof' as problem
from pg_proc as function
where function.proleakproof
  and function.pronamespace::regnamespace::text in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
