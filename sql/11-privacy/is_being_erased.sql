-- What otherwise never changes, a signed note or the grant that somebody acted on, is emptied by an
-- erasure all the same. Its guard asks here: the certificate is written before anything is taken away.
create or replace function hospital_private.is_being_erased(patient_id bigint)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital.patients as p
    join hospital.erasures as e
      on e.record_uuids @> array[p.public_uuid]
      and e.is_complete
    where p.id = is_being_erased.patient_id
      and p.erased_at is null
  );
$$;
comment on function hospital_private.is_being_erased(bigint) is
  'Whether a patient is being erased in this transaction, for guards that otherwise refuse every change. Lends the owner''s right to read certificates.';
