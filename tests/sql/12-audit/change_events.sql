-- Who may read the outbox, and when a consumer is told to begin anew. Reading across transactions is
-- tested with real ones: tests/concurrency/changes.test.ts.
begin;
select no_plan();
select tests.world();

select throws_ok(
  $$ select ops.register_consumer('lab', '{hospital.visits,hospital.no_such}') $$,
  'NTFND', null, 'A consumer of a table there is not is refused.'
);
select throws_ok(
  $$ select ops.register_consumer('lab', '{hospital_private.sessions}') $$,
  'NTFND', null, 'Nobody hears of accounts and sessions.'
);
select throws_ok(
  $$ select ops.register_consumer('lab', '{hospital.visits}', 'nobody_here') $$,
  'NTFND', null, 'Nor is there a consumer that nobody reads for.'
);
select throws_ok($$ select ops.reset_consumer('lab') $$, 'NTFND', null, 'Who is not there cannot be reset.');
select throws_ok(
  $$ select ops.register_consumer('lab', '{}') $$,
  '23514', null, 'A consumer of nothing is refused.'
);
select lives_ok($$ select ops.register_consumer('lab', '{hospital.visits}', 'hospital_worker') $$, 'One is registered.');
select throws_ok($$ select ops.register_consumer('lab', '{hospital.visits}') $$, '23505', null, 'And only once.');

-- No event says more than which row it is.
select is(
  array(
    select c.relation || '.' || c.column_name
    from hospital_private.column_classes as c
    join pg_catalog.pg_constraint as k
      on k.conrelid = to_regclass(c.relation)
      and k.contype = 'p'
    join pg_catalog.pg_attribute as a
      on a.attrelid = k.conrelid
      and a.attnum = any (k.conkey)
      and a.attname = c.column_name
    where starts_with(c.relation, 'hospital.')
      and c.class in ('identity', 'free_text', 'secret')
  ),
  '{}',
  'No primary key of the hospital is a name, a number or a word of a patient.'
);
select columns_are('ops', 'change_events', array['transaction_id', 'sequence', 'table_name', 'operation', 'row_key', 'recorded_at']);

-- The one it was registered for reads, and nobody else, whatever the rights.
set session authorization hospital_worker;
select throws_ok('select * from ops.change_consumers', '42501', null, 'Whoever reads does not see the consumers.');
select throws_ok('select * from ops.change_events', '42501', null, 'Nor all the events.');
select throws_ok($$ select ops.register_consumer('more', '{hospital.visits}') $$, '42501', null, 'Nor registers any.');
select throws_ok($$ select ops.reset_consumer('lab') $$, '42501', null, 'Nor resets any.');
select lives_ok($$ select ops.read_change_events('lab') $$, 'The worker reads for its consumer.');
select throws_ok($$ select ops.read_change_events('no_such') $$, 'NTFND', null, 'There is no other.');
select throws_ok(
  $$ select ops.acknowledge_change_events('lab', '(9000000000000000000,1)') $$,
  'NREAD', null, 'What was not read is not acknowledged.'
);
select throws_ok($$ select ops.acknowledge_change_events('lab', null) $$, 'NREAD', null, 'Nor is nothing.');
select lives_ok($$ select ops.acknowledge_change_events('lab', '(3,1)') $$, 'What was acknowledged may be again.');
reset session authorization;
select is((c.position).transaction_id > '3'::xid8, true, 'And moves nothing back.') from ops.change_consumers as c;
grant usage on schema ops to hospital_monitor;
grant execute on function ops.read_change_events, ops.acknowledge_change_events to hospital_monitor;
set session authorization hospital_monitor;
select throws_ok(
  $$ select ops.read_change_events('lab') $$,
  'NTFND', null, 'Another role with the right reads its own consumers alone.'
);
reset session authorization;
select throws_ok(
  $$ update ops.change_consumers set position = row('9000000000000000000', 1) $$,
  '23514', null, 'Not even the owner can move a position past what was read.'
);

-- Elsewhere, numbers mean nothing.
update ops.change_consumers set incarnation = 'elsewhere';
set session authorization hospital_worker;
select throws_ok($$ select ops.read_change_events('lab') $$, 'RESYN', null, 'After a restore or a failover it must begin anew.');
select throws_ok($$ select ops.acknowledge_change_events('lab', '(3,1)') $$, 'RESYN', null, 'And can acknowledge nothing.');
select is(l.is_lost, true, 'Which shows.') from ops.consumer_lags() as l where l.consumer = 'lab';
reset session authorization;
create temporary table before as select c.stream from ops.change_consumers as c;
select ops.reset_consumer('lab');
select isnt(c.stream, b.stream, 'Reset, it has a new stream.') from ops.change_consumers as c, before as b;
set session authorization hospital_worker;
select lives_ok($$ select ops.read_change_events('lab') $$, 'And reads again.');
reset session authorization;

set local session_replication_role = replica;
update audit.eras set cluster = 42;
set local session_replication_role = origin;
select throws_ok($$ select ops.reset_consumer('lab') $$, 'RESYN', null, 'Not before the audit has begun its era here.');
select throws_ok($$ select ops.register_consumer('late', '{hospital.visits}') $$, 'RESYN', null, 'Nor is one registered.');
select audit.seal_entries();
select lives_ok($$ select ops.register_consumer('late', '{hospital.visits}') $$, 'The next sealing mends that.');

select * from finish();
rollback;
