-- While a hold stands nothing of the patient is erased, on any path; and only administrators hold.
begin;
select no_plan();
select tests.world();
update hospital.retention_rules set kept_for = '0', minors_until_age = null;
update hospital.appointments set status = 'completed' where status = 'in_progress';
-- Bob has a second record, a duplicate.
create temporary table duplicates on commit drop as
select tests.patient('bobby@example.test', 'Baker') as id;
update hospital.patients set merged_into_id = tests.id_of('bob') where id = (select d.id from duplicates as d);
grant select on tests.people to public;

-- Who may.
create temporary table callers on commit drop as
select r.name, case r.name when 'patient' then 'ann' when 'doctor' then 'dora' else r.name end || '@example.test' as email
from hospital_private.roles as r
where r.name <> 'administrator';
grant select on callers to public;
create function pg_temp.refusals_of(statement text) returns setof text
language plpgsql
as $$
declare
  caller record;
begin
  for caller in select * from callers loop
    perform tests.authenticate_as(caller.email, caller.name);
    return next tests.would_be(statement);
    perform tests.clear_authentication();
  end loop;
  perform tests.be_anonymous();
  return next tests.would_be(statement);
  perform tests.clear_authentication();
end;
$$;
select is(
  array(select distinct pg_temp.refusals_of(c.statement)), '{42501}', format('Nobody but an administrator may: %s', c.statement)
)
from (values
  ($$select hospital.place_legal_hold(1, 'Docket', 'A suit')$$),
  ($$select hospital.release_legal_hold(1, 'Settled')$$),
  ($$select hospital.erase_patient(1, 'person_asked')$$),
  ($$select hospital.retention_due()$$),
  ($$select count(*) from hospital.legal_holds$$),
  ($$select count(*) from hospital.erasures$$),
  ($$select hospital_private.erase_person(1, 'person_asked', false, null)$$),
  ($$select hospital_private.reapply_erasure('{}', 'person_asked', true, now())$$),
  ($$insert into hospital.legal_holds (patient_id, matter, reason, held) values (1, 'x', 'x', tstzrange(now(), null))$$),
  ($$update hospital.legal_holds set held = 'empty'$$)
) as c (statement);

select tests.authenticate_as('administrator@example.test');
create temporary table held on commit drop as
select h.* from hospital.place_legal_hold(tests.id_of('bob'), '  Docket 9 ', 'A suit') as h;
grant select on held to public;
select is(
  (select (h.matter, h.placed_by is not null, lower(h.held) <= clock_timestamp(), upper_inf(h.held))::text from held as h),
  '("Docket 9",t,t,t)', 'A hold names its matter and who placed it, and has no end.'
);
select is(
  tests.constraint_of(format('select hospital.place_legal_hold(%s, ''Docket 9'', ''Again'')', tests.id_of('bob'))),
  'legal_holds_one_of_patient_and_matter', 'One matter holds a record once.'
);
select is(
  tests.would_be(format('select hospital.place_legal_hold(%s, ''Docket 10'', ''Another'')', tests.id_of('bob'))),
  'accepted', 'Another matter may hold it too.'
);
select is(tests.would_be($$select hospital.place_legal_hold(0, 'Docket', 'x')$$), 'NTFND', 'Nobody is held who is not there.');
select is(
  tests.would_be(format('select hospital.place_legal_hold(%s, ''Docket 11'', ''x'', now() - interval ''1 day'')', tests.id_of('ann'))),
  'PASTT', 'No hold ends before it begins.'
);
select is(
  tests.would_be(format('select hospital.place_legal_hold(%s, '' '', ''x'')', tests.id_of('ann'))),
  'legal_holds_matter_not_blank', 'A matter has a name.'
);
select is(
  tests.would_be('update hospital.legal_holds set release_reason = ''x'''),
  '42501', 'An administrator writes holds by the functions alone, which name him.'
);

-- What it forbids.
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('bob'))),
  'LEGHD', 'Who is held is not erased.'
);
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'', true)', tests.id_of('bob'))),
  'LEGHD', 'Not even what is due.'
);
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', p.id)),
  'LEGHD', 'Nor through the record that was merged with his.'
)
from hospital.patients as p
where p.merged_into_id = tests.id_of('bob');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('ann'))),
  'accepted', 'Ann is not concerned.'
);

-- Nor by bare SQL as the owner: for every column of every table, as the classes have them.
select tests.be_owner();
create function pg_temp.attempts(person bigint) returns table (statement text)
language sql
as $$
  select format('delete from %s as t where t.%I = %s', c.relation, c.patient_column, person)
  from hospital_private.personal_columns as c
  where c.is_erased
    and c.patient_column is not null
  group by
    c.relation,
    c.patient_column
  union all
  select format('update %s as t set %I = %s where t.%I = %s', c.relation, c.column_name, r.emptied, c.patient_column, person)
  from hospital_private.personal_columns as c
  cross join (values ('null'), ($q$'[erased]'$q$), ($q$' '$q$)) as r (emptied)
  where c.is_erased
    and c.patient_column is not null
    and c.class <> 'coarsened'
$$;
create function pg_temp.has_rows(statement text) returns boolean
language plpgsql
as $$
declare
  number bigint;
begin
  -- Where there is something to lose.
  execute regexp_replace(
    statement,
    '^(delete from|update) (\S+) as t (set (\S+) = .*? )?where (.*)$',
    'select count(*) from \2 as t where \5'
  ) || coalesce(' and t.' || substring(statement from '^update \S+ as t set (\S+) =') || ' is not null', '')
  into number;
  return number > 0;
end;
$$;
create temporary table attempted on commit drop as
select a.statement, tests.would_be(a.statement) as answer
from pg_temp.attempts(tests.id_of('bob')) as a
where pg_temp.has_rows(a.statement);
select ok(count(*) > 40, 'The owner tries some forty ways to empty what is held.') from attempted;
select is(
  array(select a.statement || ': ' || a.answer from attempted as a where a.answer not in ('LEGHD', 'KEPTT', 'SIGND', 'TRNSN', 'NOTES', '22P02')),
  '{}', 'And none succeeds: what is kept as it was written is refused before the hold is asked.'
);
select is(
  array(
    select c.relation || ': ' || tests.would_be(format('truncate %s cascade', c.relation))
    from hospital_private.personal_columns as c
    where c.is_erased
      and c.patient_column is not null
      and tests.would_be(format('truncate %s cascade', c.relation)) <> 'LEGHD'
    group by c.relation
  ),
  '{}', 'No table about patients is truncated while anybody is held.'
);
select is(
  tests.would_be(format('update hospital.patients set family_name = ''Baker-Able'' where id = %s', tests.id_of('bob'))),
  'accepted', 'A name may change: the audit keeps the one before.'
);
select is(
  tests.would_be(format('update hospital.visits set notes = ''Corrected again.'', amendment_reason = ''Typing error'' where patient_id = %s', tests.id_of('bob'))),
  'accepted', 'A note may be amended: the version before is kept.'
);

-- Its end.
select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be('select hospital.release_legal_hold(h.id, '' '') from held as h'),
  'legal_holds_release_has_reason', 'It is released with a reason.'
);
select is(
  (select (r.release_reason, r.released_by is not null, upper(r.held) <= r.released_at)::text
    from held as h, hospital.release_legal_hold(h.id, 'Settled') as r),
  '(Settled,t,t)', 'It is released by somebody, for a reason.'
);
select is(
  (select r.release_reason from held as h, hospital.release_legal_hold(h.id, 'Settled twice') as r),
  'Settled', 'Released twice, the first counts.'
);
select is(tests.would_be('select hospital.release_legal_hold(0, ''x'')'), 'NTFND', 'What is not held cannot be released.');
select is(
  tests.would_be(format('select hospital.erase_patient(%s, ''person_asked'')', tests.id_of('bob'))),
  'accepted', 'Then he may be erased.'
);
select is(
  tests.would_be(format('select hospital.place_legal_hold(%s, ''Docket 9'', ''Reopened'')', tests.id_of('bob'))),
  'accepted', 'And held again for the same matter.'
);
select tests.clear_authentication();

-- A hold for tomorrow forbids today; one that has run out does not.
insert into hospital.legal_holds (patient_id, matter, reason, held)
values
  (tests.id_of('ann'), 'Tomorrow', 'x', tstzrange(now() + interval '1 day', now() + interval '2 days')),
  (tests.id_of('bob'), 'Over', 'x', tstzrange(now() - interval '2 days', now() - interval '1 day'));
select is(hospital_private.is_held(array[tests.id_of('ann')]), true, 'A hold that is to begin counts.');
select is(hospital_private.is_held(array[tests.id_of('bob')]), false, 'A hold that has run out by itself does not.');

select * from finish();
rollback;
