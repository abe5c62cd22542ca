-- What identifies a patient is sealed by the change that ends it, and by no other; who reads finds it all the same.
begin;
select no_plan();

create temporary table probe as
select tests.patient('ann@example.test', 'Able') as ann, tests.patient('bob@example.test', 'Baker') as bob;
create function tests.changes(table_name text, row_key bigint) returns table (entry bigint, operation text, seal bytea, names text)
language sql stable as $$
  select
    row_number() over (order by e.sequence),
    e.operation,
    e.sealed_identity,
    (select string_agg(c.column_name, ' ' order by c.column_name) from unnest(audit.changes_of(e)) as c
      where c.column_name not in ('created_at', 'updated_at'))
  from audit.entries as e
  where e.table_name = changes.table_name and e.row_key = changes.row_key::text
$$;

-- ### an update that leaves it
update hospital.patients as p set deactivated_at = now(), deactivation_reason = 'Moved away.' from probe as x where p.id = x.ann;
update hospital.patients as p set deactivated_at = now() - interval '1 hour' from probe as x where p.id = x.ann;
update hospital.patients as p set family_name = 'Archer' from probe as x where p.id = x.ann;
update hospital.patients as p set deactivated_at = now() from probe as x where p.id = x.ann;
select results_eq(
  $$ select c.entry, c.operation, c.seal is not null from probe as p, tests.changes('hospital.patients', p.ann) as c order by 1 $$,
  $$ values (1::bigint, 'insert', false), (2, 'update', true), (3, 'update', false), (4, 'update', true), (5, 'update', false) $$,
  'It is sealed where it changed, and nowhere else.'
);
select results_eq(
  $$ select c.names from probe as p, tests.changes('hospital.patients', p.ann) as c where c.entry > 1 order by c.entry $$,
  $$ values ('deactivated_at deactivation_reason'), ('deactivated_at'), ('family_name'), ('deactivated_at') $$,
  'Who reads sees what each change changed.'
);
select matches(c.names, 'family_name given_name', 'And that the first entry brought a name, which later ones seal.')
from probe as p, tests.changes('hospital.patients', p.ann) as c where c.entry = 1;
select is(audit.open_identity(p.ann, c.seal) ->> 'family_name', 'Able', 'The name before is in the seal.')
from probe as p, tests.changes('hospital.patients', p.ann) as c where c.entry = 4;
select is(count(*), 0::bigint, 'No name is anywhere in clear.')
from audit.entries as e, probe as p where e.patient_id = p.ann and e::text ~ 'Able|Archer|Moved away';

-- ### a row that goes
create temporary table number as
with added as (
  insert into hospital.contact_points (patient_id, kind, value) select p.ann, 'phone', '+1 617 555 0100' from probe as p returning id
)
select id from added;
update hospital.contact_points as c set is_preferred = not c.is_preferred from number as n where c.id = n.id;
delete from hospital.contact_points as c using number as n where c.id = n.id;
select results_eq(
  $$ select c.operation, c.seal is not null, c.names ~ '\mvalue\M' from number as n, tests.changes('hospital.contact_points', n.id) as c order by c.entry $$,
  $$ values ('insert', false, true), ('update', false, false), ('delete', true, true) $$,
  'A delete seals what was kept until then.'
);

-- ### many rows of several persons in one statement
insert into hospital.contact_points (patient_id, kind, value)
select n.id, 'email', n.value from probe as p cross join lateral (values (p.ann, 'ann@example.test'), (p.bob, 'bob@example.test')) as n (id, value);
update hospital.contact_points as c set value = 'new.' || c.value from probe as p where c.patient_id in (p.ann, p.bob) and c.kind = 'email';
select results_eq(
  $$ select distinct e.patient_id, audit.open_identity(e.patient_id, e.sealed_identity) ->> 'value'
     from audit.entries as e, probe as p
     where e.table_name = 'hospital.contact_points' and e.operation = 'update' and e.sealed_identity is not null order by 1 $$,
  $$ select p.ann, 'ann@example.test' from probe as p union all select p.bob, 'bob@example.test' from probe as p $$,
  'Each is sealed with the key of its own person.'
);
select is(count(distinct substr(e.sealed_identity, 9, 16)), count(*), 'And with an initialisation vector of its own.')
from audit.entries as e where e.sealed_identity is not null;

-- ### whose it is
update hospital.contact_points as c set patient_id = p.bob, is_preferred = false from probe as p where c.patient_id = p.ann and c.kind = 'email';
select is(audit.open_identity(p.ann, e.sealed_identity) ->> 'value', 'new.ann@example.test',
  'What comes to be somebody else''s is sealed with the key of whose it was.')
from probe as p, audit.entries as e
where e.table_name = 'hospital.contact_points' and e.transaction_id = pg_current_xact_id()
order by e.sequence desc limit 1;

-- ### a person whose key is gone
select audit.shred_person(p.ann) from probe as p;
select is(count(*), 0::bigint, 'After shredding nothing that was sealed opens.')
from probe as p, tests.changes('hospital.patients', p.ann) as c where audit.open_identity(p.ann, c.seal) is not null;
select lives_ok($$ update hospital.patients as p set family_name = 'Other' from probe as x where p.id in (x.ann, x.bob) $$,
  'What is written afterwards, of her and of others at once, is written.');
select results_eq(
  $$ select e.sealed_identity is not null from probe as p
     cross join lateral (values (p.ann), (p.bob)) as n (id)
     cross join lateral (
       select e.* from audit.entries as e
       where e.table_name = 'hospital.patients' and e.patient_id = n.id order by e.sequence desc limit 1
     ) as e
     order by n.id = p.bob $$,
  $$ values (false), (true) $$,
  'Sealed for him alone.'
);
select is_empty($$ select * from audit.verify() $$, 'Every row is what its newest entry says.');

select * from finish();
rollback;
