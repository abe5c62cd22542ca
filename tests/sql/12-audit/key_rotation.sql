-- The key that wraps the keys of persons is replaced for all of them at once, and what was sealed opens as before.
begin;
select no_plan();

create temporary table probe as
select tests.patient('ann@example.test', 'Able') as ann, tests.patient('bob@example.test', 'Baker') as bob;
create function tests.sealed_of(patient_id bigint, content jsonb) returns bytea language sql as $$
  select audit.seal_identity(k.key, sealed_of.content)
  from audit.person_keys_of(array[sealed_of.patient_id], true) as k
$$;
create temporary table sealed as
select tests.sealed_of(p.ann, '{"given_name": "Ann"}') as ann from probe as p;
select audit.shred_person(p.bob) from probe as p;
create temporary table before as select k.patient_id, k.wrapped_key from audit.person_keys as k;

select throws_ok($$select audit.replace_key('abc')$$, 'KEYNO', null, 'What is no key is refused.');
select throws_ok($$select audit.replace_key(null)$$, 'KEYNO', null, 'Nothing is no key either.');
select is(audit.replace_key(current_setting('infirmary.audit_key')), 0::bigint, 'The same key replaces nothing.');
select is(
  audit.replace_key(repeat('ab', 32)),
  (select count(*) from before as b where b.wrapped_key is not null),
  'Every key there is is wrapped anew.'
);
select is_empty(
  $$select from before as b join audit.person_keys as k using (patient_id) where b.wrapped_key = k.wrapped_key$$,
  'None stays as it was.'
);
select throws_ok($$select audit.open_identity(p.ann, s.ann) from probe as p, sealed as s$$, 'KEYOT', null,
  'The old key opens nothing any more.');
select throws_ok($$select audit.replace_key(repeat('cd', 32))$$, 'KEYOT', null, 'Nor does it bring in another.');
select set_config('infirmary.audit_key', repeat('ab', 32), true);
select is(audit.open_identity(p.ann, s.ann), '{"given_name": "Ann"}', 'With the new one all opens as before.')
from probe as p, sealed as s;
select is(tests.sealed_of(p.bob, '{"given_name": "Bob"}'), null, 'Who was shredded stays so.') from probe as p;
select lives_ok($$update hospital.patients as t set given_name = 'Anna' from probe as p where t.id = p.ann$$,
  'Changes are sealed.');
select is_empty('select * from audit.verify()', 'The audit holds.');

select is(count(*) filter (where f.replaced_at is null), 1::bigint, 'One key is in force.') from audit.key_fingerprints as f;
select is(count(*), 2::bigint, 'The one before is remembered by its fingerprint.') from audit.key_fingerprints;
select tests.be_owner();
select throws_ok($$update audit.key_fingerprints set replaced_at = null$$, 'PERMA', null,
  'A key that was replaced does not come back into force.');
select throws_ok($$update audit.key_fingerprints set fingerprint = sha256('x')$$, 'PERMA', null,
  'A fingerprint is not changed.');
select throws_ok($$truncate audit.key_fingerprints$$, 'PERMA', null, 'Nor are all forgotten.');
select throws_ok($$insert into audit.key_fingerprints (fingerprint) values (sha256('x'))$$, '23505', null,
  'There are never two in force.');
select * from finish();
rollback;
