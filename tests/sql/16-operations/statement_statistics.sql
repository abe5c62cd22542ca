-- What statements cost, without the words of patients that were in them.
begin;
select no_plan();

select is(
  ops.without_literals($q$ select p.id from hospital.patients as p where p.family_name = $1 and p.id = $2 limit 51 $q$),
  'select p.id from hospital.patients as p where p.family_name = ? and p.id = ? limit ?',
  'A statement keeps its shape.'
);
select is(ops.without_literals(null), null, 'Of a statement that may not be read nothing is told.');

-- Everywhere a word can be.
select is(
  array(select s from unnest(array[
    $q$select 'Adams'$q$,
    $q$select E'it\'s Adams'$q$,
    $q$select 'it''s Adams'$q$,
    $q$select U&'Adams'$q$,
    $q$select $$Adams$$$q$,
    $q$select $body$ 'Adams $body$, 1$q$,
    $q$select 1 as "Adams"$q$,
    $q$select 1 as "an ""Adams"" indeed"$q$,
    $q$/* Adams */ select 1$q$,
    $q$/* a ** / * Adams **/ select 1$q$,
    E'select 1 -- Adams\n from hospital.patients',
    'select 1 -- Adams',
    $q$select x'Adams'$q$,
    $q$declare c cursor for select 'Adams'$q$,
    $q$copy (select 'Adams') to stdout$q$,
    $q$explain select 'Adams'$q$,
    $q$create table x as select 'Adams'$q$,
    $q$prepare x as select 'Adams'$q$,
    $q$execute x ('Adams')$q$,
    $q$do $$ begin raise notice 'Adams'; end $$$q$,
    $q$call x('Adams')$q$,
    $q$set infirmary.client_address = 'Adams'$q$,
    $q$alter role hospital_monitor password 'Adams'$q$,
    $q$comment on table x is 'Adams'$q$,
    $q$savepoint Adams$q$,
    $q$( ( with x as (select 'Adams') select 1 ) )$q$
  ]) as s where ops.without_literals(s) ~* 'adams'),
  '{}', 'No word of a statement is shown that is not a name in the schema or in the language.'
);
select is(
  array(select s from unnest(array['select 19800214', 'select 1980.0214', 'select 0x1980', 'select 1_980', 'select -1980']) as s
    where ops.without_literals(s) ~ '[0-9]'),
  '{}', 'Nor a number.'
);
select is(
  (select s.statement from ops.statement_statistics as s),
  '(pg_stat_statements is not installed in this database: a superuser makes it with create extension)',
  'Where the extension is missing the view says so instead of failing.'
);

-- ### Health of tables and indexes
select is(
  (select count(*) from ops.table_health as h where h.table_name in ('hospital.patients', 'ops.job_runs', 'audit.entries_default')),
  3::bigint, 'Every table and partition is there once.'
);
select ok(
  (select u.holds_a_rule and u.is_valid from ops.index_use as u where u.index_name = 'job_runs_pkey'),
  'The index of a key holds a rule,'
);
select ok(
  not (select u.holds_a_rule from ops.index_use as u where u.index_name = 'job_runs_job_started_at_idx'),
  'and another only answers questions.'
);
select * from finish();
rollback;
