-- What identifies a person is sealed with the person's own key, and shredding the key is for good.
begin;
select no_plan();

create function tests.seal(patient_id bigint, content jsonb) returns bytea language sql as $$
  select audit.seal_identity(k.key, seal.content) from audit.person_keys_of(array[seal.patient_id], true) as k
$$;
create temporary table probe as
select tests.patient('ann@example.test', 'Able') as ann, tests.patient('bob@example.test', 'Baker') as bob;
create temporary table sealed as
select
  tests.seal(p.ann, '{"given_name": "Ann"}') as ann,
  tests.seal(p.ann, '{"given_name": "Ann"}') as ann_again,
  tests.seal(p.bob, '{"given_name": "Bob"}') as bob
from probe as p;

select is(audit.open_identity(p.ann, s.ann), '{"given_name": "Ann"}', 'What was sealed can be opened.')
from probe as p, sealed as s;
select isnt(s.ann, s.ann_again, 'The same is never sealed to the same bytes.') from sealed as s;
select is(position('Ann'::bytea in s.ann), 0, 'The sealed bytes do not say the name.') from sealed as s;
select is(audit.open_identity(p.bob, s.ann), null, 'The key of another person opens nothing.')
from probe as p, sealed as s;
select is(count(distinct k.wrapped_key), 2::bigint, 'Everybody has a key of his own.')
from audit.person_keys as k join probe as p on k.patient_id in (p.ann, p.bob);

select lives_ok($$select audit.shred_person(p.ann) from probe as p$$, 'A key is shredded.');
select is(audit.open_identity(p.ann, s.ann), null, 'After that nothing opens.') from probe as p, sealed as s;
select is(audit.open_identity(p.bob, s.bob), '{"given_name": "Bob"}', 'Others are not touched.')
from probe as p, sealed as s;
select is(tests.seal(p.ann, '{"given_name": "New"}'), null, 'There is no new key, and no error.')
from probe as p;
select lives_ok($$select audit.shred_person(p.ann) from probe as p$$, 'Shredding again changes nothing.');
select lives_ok(
  $$select audit.shred_person(tests.patient('carl@example.test', 'Cole'))$$,
  'Somebody of whom nothing was sealed can be shredded.'
);
select is(
  tests.constraint_of($$update audit.person_keys as k set digest_salt = 'x'
    from probe as p where k.patient_id = p.ann$$),
  'person_keys_shredded_is_gone', 'A shredded salt does not come back.');

-- The key outside the database.
select is(count(*), 1::bigint, 'The fingerprint of the key was recorded when the database was made.')
from audit.key_fingerprints;
select set_config('infirmary.audit_key', repeat('00', 32), true);
select throws_ok($$select tests.seal(p.bob, '{}') from probe as p$$, 'KEYOT', null,
  'A session that brings another key seals nothing.');
select throws_ok($$select audit.open_identity(p.bob, s.bob) from probe as p, sealed as s$$, 'KEYOT', null,
  'Nor does it open anything.');
select set_config('infirmary.audit_key', '', true);
select throws_ok($$select tests.seal(p.bob, '{}') from probe as p$$, 'KEYNO', null,
  'Without a key nothing is sealed.');
set local session_replication_role = replica;
delete from audit.key_fingerprints;
set local session_replication_role = origin;
select set_config('infirmary.audit_key', repeat('00', 32), true);
create function tests.seal_as_the_owner() returns bytea language sql security definer
as $$select k.key from probe as p, audit.person_keys_of(array[p.bob], true) as k$$;
alter function tests.seal_as_the_owner() owner to hospital_owner;
grant select on probe to hospital_owner;
set session authorization hospital_authenticator;
select throws_ok('select tests.seal_as_the_owner()', 'KEYOT', null,
  'Where no key is recorded yet, the API''s connection cannot record one of its own.');
reset session authorization;
select is(count(*), 0::bigint, 'Nor did it.') from audit.key_fingerprints;

select * from finish();
rollback;
