-- Every function of ours, those of the API and those behind it that lend a right, by every persona, with nothing,
-- too much and the ends of every type: it answers or refuses, and never breaks.
begin;
select no_plan();
select tests.world();

create temporary table odd (kind regtype, form integer, value text, primary key (kind, form));
insert into odd
select k.kind::regtype, v.form, v.value
from (
  values
    ('bigint', array[null, '-1', '0', '9223372036854775807', '-9223372036854775808', '1']),
    ('integer', array[null, '-1', '0', '2147483647', '-2147483648', '1']),
    ('text', array[null, '', ' ', repeat('x', 5000), E'\';--%_\\', 'doctor']),
    ('text[]', array[null, '{}', '{NULL}', '{"",x}', '{{a},{b}}', '{I10,I10}']),
    ('timestamptz', array[null, 'infinity', '-infinity', '294276-12-31 23:59:59Z', '4713-01-01 00:00Z BC', '2030-01-01 12:00Z']),
    ('date', array[null, 'infinity', '-infinity', '5874897-12-31', '4713-01-01 BC', '1990-01-01']),
    ('numeric', array[null, 'NaN', 'Infinity', '-Infinity', '99999999999999999999', '0.005']),
    ('hospital.weekly_shift[]', array[null, '{}', '{NULL}', '{"(1,08:00,12:00,)"}', '{"(9,24:00,00:00:30,-1)"}', '{"(,,,)","(1,08:00,08:00,)"}']),
    ('bigint[]', array[null, '{}', '{NULL}', '{-1,0}', '{9223372036854775807}', '{1,1,2}']),
    ('tstzrange', array[null, 'empty', '(,)', '[infinity,]', '[-infinity,infinity]', '[2030-01-01 12:00Z,2030-01-01 13:00Z)']),
    ('inet', array[null, '0.0.0.0', '::', '255.255.255.255/1', 'ffff::/64', '127.0.0.1']),
    ('boolean', array[null, 'true', 'false', 'true', 'false', 'true'])
) as k (kind, forms)
cross join lateral unnest(k.forms) with ordinality as v (value, form);
grant select on odd to public;

-- Each argument in its first form, then in its second; and mixed, so that one odd value meets others.
create temporary view calls as
select
  f.proname,
  s.shift,
  format('select * from %s(%s)', f.oid::regproc, string_agg(format('%L::%s', o.value, o.kind), ', ' order by a.position)) as statement
from pg_catalog.pg_proc as f
cross join generate_series(0, 9) as s (shift)
cross join lateral unnest(f.proargtypes::oid[]) with ordinality as a (type, position)
join odd as o
  on o.kind = a.type
  and o.form = 1 + (s.shift + case when s.shift > 5 then a.position::integer else 0 end) % 6
where f.pronamespace::regnamespace::text in ('hospital', 'hospital_private', 'audit', 'ops')
  and f.prokind = 'f'
  and f.provariadic = 0
  and f.prorettype <> 'trigger'::regtype
group by
  f.oid,
  f.proname,
  f.pronargs,
  s.shift
having count(*) = f.pronargs;
grant select on calls to public;

create function pg_temp.broken(role text) returns setof text
language plpgsql
as $$
declare
  call record;
  ended text;
begin
  perform tests.clear_authentication();
  if $1 = 'anonymous' then
    perform tests.be_anonymous();
  else
    perform tests.authenticate_as(
      case $1 when 'patient' then 'ann' when 'doctor' then 'dora' else $1 end || '@example.test'
    );
  end if;
  -- Hashing passwords takes its time, and log_in is the same for everybody.
  for call in select c.* from calls as c where $1 = 'anonymous' or c.proname <> 'log_in' order by c.proname, c.shift loop
    ended := tests.would_be(call.statement);
    -- Our own codes, constraints by name, a missing value or right, and values out of range.
    if ended !~ '^([I-Z][A-Z]{4}|[a-z]+(_[a-z0-9]+)+|accepted|23502|42501|22003|22008)$' then
      return next ended || ' ' || call.statement;
    end if;
  end loop;
  perform tests.clear_authentication();
end;
$$;
select is(array(select left(b, 300) from pg_temp.broken(r) as b), '{}', format('Nothing breaks for %s.', r))
from (
  select 'anonymous'
  union all
  select name from hospital_private.roles
) as p (r);
select ok(count(distinct proname) > 80, 'All functions were called.') from calls;

-- And nothing happened to anybody.
select is(count(*), 2::bigint, 'There are still two appointments') from hospital.appointments;
select is(
  count(*),
  1::bigint, 'and Ann is who she was.'
) from hospital.patients where family_name = 'Able' and deactivated_at is null;
select * from finish();
rollback;
