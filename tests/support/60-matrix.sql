-- The access matrix is found out by trying: each role, with a live session, tries each command on each
-- row of a world, and every row is of a kind to whoever plays it: tests.kind_of() says which.

-- Here every kind of row exists for every role; each patient also has an appointment that is still ahead,
-- because what has begun is not everybody's to change any more. Commit it before measuring: some rules
-- ask whether a row was made in this transaction.
create function tests.matrix_world()
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform tests.world(with_colleague => true);
  perform tests.appointment(a.doctor_id, a.patient_id, tests.next_working_instant(a.doctor_id, '10:00', 4))
  from hospital.appointments as a;
end;
$$;
comment on function tests.matrix_world() is
  'The world with Dora''s colleague Dan and his patient Cara, for the access matrix.';

create function tests.personas()
returns table (
  role text, email text, patient_id bigint, staff_member_id bigint, doctor_id bigint, department_id bigint
)
language sql
stable
security definer
set search_path = ''
as $$
  select
    r.name,
    a.email,
    a.patient_id,
    a.staff_member_id,
    d.id,
    m.department_id
  from (
    select
      k.name,
      case k.name when 'patient' then 'ann' when 'doctor' then 'dora' else k.name end || '@example.test'
    from hospital_private.roles as k
    union all
    values ('anonymous', null), ('worker', null)
  ) as r (name, email)
  left join hospital_private.accounts as a
    on a.email = r.email
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.doctors as d
    on d.staff_member_id = m.id;
$$;
comment on function tests.personas() is 'Who plays each role of the matrix.';

create function tests.play(role text, with_charts boolean default false)
returns void
language plpgsql
volatile
security invoker
as $$
declare
  persona record;
  patient record;
begin
  perform tests.clear_authentication();
  select * into strict persona from tests.personas() as p where p.role = play.role;
  if persona.email is null then
    perform pg_catalog.set_config('role', 'hospital_' || play.role, true);
    return;
  end if;
  perform tests.authenticate_as(persona.email, play.role);
  if play.with_charts then
    for patient in select p.id from tests.people as p where p.name in ('ann', 'bob', 'cara') loop
      perform tests.would_be_kept(pg_catalog.format('select hospital.open_chart(%s)', patient.id));
    end loop;
  end if;
end;
$$;
comment on function tests.play(text, boolean) is
  'Makes the rest of the transaction act in a role of the matrix, with every chart open that opens to it if so wished.';

create function tests.would_be_kept(statement text)
returns void
language plpgsql
volatile
security invoker
as $$
begin
  execute would_be_kept.statement;
exception
  when others then
    return;
end;
$$;
comment on function tests.would_be_kept(text) is 'Runs a statement and forgets it if it is refused.';

-- Whose a row is: the patient's it names, or else of the row it refers to; or else the member of
-- staff's, or else the department's. An expression over t.
create function tests.subject(relation regclass, kind text)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  with
  columns as (
    select array_agg(a.attname) as names
    from pg_catalog.pg_attribute as a
    where a.attrelid = subject.relation
      and a.attnum > 0
      and not a.attisdropped
  ),
  referred as (
    select
      format(
        '(select r.patient_id from %s as r where %s)',
        k.confrelid::regclass,
        string_agg(format('r.%I = t.%I', far.attname, near.attname), ' and ')
      ) as expression
    from pg_catalog.pg_constraint as k
    cross join unnest(k.conkey, k.confkey) as c (near, far)
    join pg_catalog.pg_attribute as near
      on near.attrelid = k.conrelid
      and near.attnum = c.near
    join pg_catalog.pg_attribute as far
      on far.attrelid = k.confrelid
      and far.attnum = c.far
    where k.conrelid = subject.relation
      and k.contype = 'f'
      and exists (
        select
        from pg_catalog.pg_attribute as p
        where p.attrelid = k.confrelid
          and p.attname = 'patient_id'
      )
    group by
      k.oid,
      k.confrelid
    order by k.oid
    limit 1
  )
  select coalesce(
    case subject.kind
      when 'patient' then case
        when subject.relation = 'hospital.patients'::regclass then 't.id'
        when 'patient_id' = any (columns.names) then 't.patient_id'
        else (select r.expression from referred as r)
      end
      when 'staff' then case
        when subject.relation = 'hospital.staff_members'::regclass then 't.id'
        when 'staff_member_id' = any (columns.names) then 't.staff_member_id'
        when 'doctor_id' = any (columns.names)
          then '(select d.staff_member_id from hospital.doctors as d where d.id = t.doctor_id)'
      end
      when 'department' then case
        when subject.relation = 'hospital.departments'::regclass then 't.id'
        when 'department_id' = any (columns.names) then 't.department_id'
      end
    end,
    'null::bigint'
  )
  from columns;
$$;
comment on function tests.subject(regclass, text) is
  'An expression for the patient, member of staff or department a row belongs to.';

create table tests.matrix_rows (
  relation regclass not null,
  place text not null,
  patient_id bigint,
  staff_member_id bigint,
  department_id bigint,
  image jsonb not null
);
grant select on tests.matrix_rows to public;

-- A partition is no table of its own here, and a view's rows have no place: they are counted.
create function tests.matrix_relations()
returns table (relation regclass, name text, is_table boolean)
language sql
stable
security definer
set search_path = ''
as $$
  select
    c.oid,
    n.nspname || '.' || c.relname,
    c.relkind in ('r', 'p')
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n
    on n.oid = c.relnamespace
  where n.nspname in (
      'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
    )
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not c.relispartition;
$$;

create function tests.list_rows()
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  item record;
begin
  truncate tests.matrix_rows;
  for item in select * from tests.matrix_relations() as r where r.is_table loop
    execute format(
      'insert into tests.matrix_rows select %L, tableoid::text || t.ctid, %s, %s, %s, to_jsonb(t) from %s as t',
      item.relation,
      tests.subject(item.relation, 'patient'),
      tests.subject(item.relation, 'staff'),
      tests.subject(item.relation, 'department'),
      item.relation
    );
  end loop;
end;
$$;
comment on function tests.list_rows() is 'Notes every row of every table, where it lies and whose it is.';

create function tests.kind_of(role text, item tests.matrix_rows)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select case
    when item.patient_id is not null then case
      when item.patient_id = p.patient_id then 'own'
      when exists (
        select
        from hospital.appointments as a
        where a.patient_id = item.patient_id
          and a.doctor_id = p.doctor_id
      ) then 'roster'
      when exists (
        select
        from hospital.appointments as a
        where a.patient_id = item.patient_id
          and a.department_id = p.department_id
      ) then 'department'
      else 'other'
    end
    when item.staff_member_id is not null then case
      when item.staff_member_id = p.staff_member_id then 'own'
      when exists (
        select
        from hospital.staff_members as m
        where m.id = item.staff_member_id
          and m.department_id = p.department_id
      ) then 'colleagues'
      else 'staff'
    end
    when item.department_id is not null then case
      when item.department_id = p.department_id then 'department'
      else 'other'
    end
    else 'any'
  end
  from tests.personas() as p
  where p.role = kind_of.role;
$$;
comment on function tests.kind_of(text, tests.matrix_rows) is
  'What a row is to who plays a role: own, roster, department or other, of colleagues or other staff; or any, where it is nobody''s.';

-- The doctor has every kind of row there is.
create function tests.missing_kinds()
returns table (relation text, kind text)
language sql
stable
security invoker
as $$
  select
    r.name,
    k.kind
  from tests.matrix_relations() as r
  cross join lateral (
    select
      count(*) as rows,
      count(m.patient_id) as of_patients,
      count(m.staff_member_id) filter (where m.patient_id is null) as of_staff,
      count(m.department_id) filter (where m.patient_id is null and m.staff_member_id is null) as of_departments,
      array_agg(distinct tests.kind_of('doctor', m)) as kinds
    from tests.matrix_rows as m
    where m.relation = r.relation
  ) as of_table
  cross join lateral unnest(
    case
      when of_table.rows = 0 then array['any']
      else case when of_table.of_patients > 0 then array['roster', 'department', 'other'] end
        || case when of_table.of_staff > 0 then array['own', 'colleagues', 'staff'] end
        || case when of_table.of_departments > 0 then array['department', 'other'] end
    end
  ) as k (kind)
  where r.is_table
    and r.name ~ '^hospital\.'
    and k.kind <> all (coalesce(of_table.kinds, '{}'));
$$;
comment on function tests.missing_kinds() is
  'The tables of which the world has no row of some kind: what a role may do with it could not be measured.';

-- Only privileges and policies count: a row that meets another rule has got past them. A trigger that
-- refuses speaks before the policies do, so then the same is tried with triggers off.
create function tests.reaches(statement text, image jsonb)
returns boolean
language plpgsql
volatile
security invoker
as $$
declare
  role text := pg_catalog.current_setting('role');
  affected bigint;
  code text;
  context text;
  reached boolean;
begin
  begin
    execute reaches.statement using reaches.image;
    get diagnostics affected = row_count;
    raise exception using errcode = 'UNDOA';
  exception
    when sqlstate 'UNDOA' then
      return affected > 0;
    when others then
      get stacked diagnostics
        code = returned_sqlstate,
        context = pg_exception_context;
      if code = '42501' then
        return false;
      end if;
      if context !~ 'function (hospital|audit|ops|analytics|warehouse)' then
        return true;
      end if;
  end;
  if pg_catalog.current_setting('session_replication_role') = 'replica' then
    raise exception 'Not triggers off: % (%)', reaches.statement, code;
  end if;
  perform pg_catalog.set_config('role', 'none', true);
  perform pg_catalog.set_config('session_replication_role', 'replica', true);
  perform pg_catalog.set_config('role', role, true);
  reached := tests.reaches(reaches.statement, reaches.image);
  perform pg_catalog.set_config('role', 'none', true);
  perform pg_catalog.set_config('session_replication_role', 'origin', true);
  perform pg_catalog.set_config('role', role, true);
  return reached;
end;
$$;
comment on function tests.reaches(text, jsonb) is
  'Whether privileges and policies let a statement change a row; it is undone.';

create function tests.all_columns(relation regclass)
returns setof text
language sql
stable
security invoker
as $$
  select a.attname::text
  from pg_catalog.pg_attribute as a
  where a.attrelid = all_columns.relation
    and a.attnum > 0
    and not a.attisdropped
  order by a.attname;
$$;

create function tests.may_columns(relation regclass, privilege text)
returns text[]
language sql
stable
security invoker
as $$
  select array_agg(c)
  from tests.all_columns(may_columns.relation) as c
  where pg_catalog.has_column_privilege(may_columns.relation, c, may_columns.privilege);
$$;

create function tests.listed(columns text[], form text default '%I', separator text default ', ')
returns text
language sql
immutable
as $$
  select string_agg(pg_catalog.format(listed.form, c), listed.separator)
  from unnest(listed.columns) as c;
$$;

-- One row for each kind of row there is, for each command that a role has a privilege for. The columns
-- are null where the privilege is for all of them, and for reading those that are left out.
create function tests.measure(role text, with_charts boolean)
returns table (relation text, command text, columns text, kind text, existing bigint, reached bigint)
language plpgsql
volatile
security invoker
as $$
declare
  item record;
  places text[];
  statement text;
begin
  perform tests.play(measure.role, measure.with_charts);
  for item in
    select
      r.relation as oid,
      r.name,
      r.is_table,
      k.command,
      tests.may_columns(r.relation, k.command) as columns,
      pg_catalog.has_table_privilege(r.relation, k.command) as of_all
    from tests.matrix_relations() as r
    cross join (values ('select'), ('insert'), ('update')) as k (command)
    where pg_catalog.has_any_column_privilege(r.relation, k.command)
    union all
    select
      r.relation,
      r.name,
      r.is_table,
      k.command,
      null,
      true
    from tests.matrix_relations() as r
    cross join (values ('delete'), ('truncate'), ('trigger')) as k (command)
    where pg_catalog.has_table_privilege(r.relation, k.command)
  loop
    relation := item.name;
    command := item.command;
    columns := case
      when item.of_all then null
      when item.command = 'select' then 'all but ' || array_to_string(
        array(select c from tests.all_columns(item.oid) as c where c <> all (item.columns)), ', '
      )
      else array_to_string(item.columns, ', ')
    end;
    if not pg_catalog.has_schema_privilege(split_part(item.name, '.', 1), 'usage') then
      continue;
    end if;
    statement := case item.command
      when 'insert' then format(
        'insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)',
        item.oid, tests.listed(item.columns)
      )
      when 'update' then format(
        'update %s set %s where tableoid::text || ctid = $1->>''place''',
        item.oid, tests.listed(item.columns, '%1$I = %1$I')
      )
      when 'delete' then format('delete from %s where tableoid::text || ctid = $1->>''place''', item.oid)
    end;
    if not item.is_table or statement is null and item.command <> 'select' then
      kind := 'any';
      existing := tests.row_count(item.oid);
      reached := 0;
      if item.command = 'select' then
        execute format('select count(*) from %s', item.oid) into reached;
      end if;
      return next;
      continue;
    end if;
    if item.command = 'select' then
      -- Whoever may not read all columns may not ask where a row lies: he knows it by what he reads.
      execute format(
        'select array_agg(%s) from %s as t',
        case
          when item.of_all then 'tableoid::text || ctid'
          else format('jsonb_build_array(%s)::text', tests.listed(item.columns))
        end,
        item.oid
      ) into places;
    end if;
    for kind, existing, reached in
      select
        tests.kind_of(measure.role, m),
        count(*),
        count(*) filter (where case
          when item.command <> 'select'
            then tests.reaches(statement, m.image || jsonb_build_object('place', m.place))
          when item.of_all then m.place = any (places)
          else (
            select jsonb_agg(m.image -> c order by n)::text
            from unnest(item.columns) with ordinality as k (c, n)
          ) = any (places)
        end)
      from tests.matrix_rows as m
      where m.relation = item.oid
      group by 1
    loop
      return next;
    end loop;
    if not found then
      kind := 'any';
      existing := 0;
      reached := 0;
      return next;
    end if;
  end loop;
  perform tests.clear_authentication();
end;
$$;
comment on function tests.measure(text, boolean) is
  'What a role may do with the rows of a world, with or without open charts: for each table, command and kind of row, how many there are and how many it reaches.';

create function tests.measure_functions(role text)
returns table (name text)
language plpgsql
volatile
security invoker
as $$
begin
  perform tests.play(measure_functions.role);
  return query select * from tests.may_execute();
  perform tests.clear_authentication();
end;
$$;
comment on function tests.measure_functions(text) is 'Which functions of ours a role may call.';
