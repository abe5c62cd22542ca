-- Nobody reads or moves a sequence: its last value tells how many rows there are, and keys are given by
-- identity columns, which ask for no right.
/* broken by
grant usage on sequence hospital.patients_id_seq to hospital_patient;
mended by
revoke usage on sequence hospital.patients_id_seq from hospital_patient;
*/
select
  sequence.oid::regclass::text as subject,
  format('%s has %s', entry.grantee::regrole, lower(entry.privilege_type)) as problem
from pg_class as sequence
cross join aclexplode(sequence.relacl) as entry
where sequence.relkind = 'S'
  and sequence.relnamespace::regnamespace::text in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and entry.grantee <> sequence.relowner
