import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, describe, mock, test } from 'node:test';
import { startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, type Hospital, PASSWORD, tokenFor, value } from './support/hospital.ts';

/** Rows of a CSV by RFC 4180, read by rules of its own: quotes double, lines end in CRLF. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        cell += text[at];
        if (text[at] === '"') at += 1;
      }
      at += 1;
    } else {
      while (text[at] !== ',' && text[at] !== '\r') cell += text[at++];
    }
    row.push(cell);
    if (text[at] === ',') at += 1;
    else {
      assert.equal(text.slice(at, at + 2), '\r\n');
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const OCTOBER = 'from=2025-10-01&to=2025-10-31';

describe('reports, through the API', { concurrency: 1 }, () => {
  let api: TestApi;
  let hospital: Hospital;
  const tokens: Record<string, string> = {};
  const visits: string[] = [];

  const get = async (path: string, token?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(new URL(path, api.url), {
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    });
    const body = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body, text: body.toString() };
  };
  const codeOf = ({ text }: { text: string }): string => JSON.parse(text).errors[0].extensions.code;
  const rowsOf = async (path: string, token?: string): Promise<Record<string, string>[]> => {
    const answer = await get(path, token);
    assert.equal(answer.status, 200, answer.text);
    const [names, ...rows] = parseCsv(answer.text);
    return rows.map((row) => Object.fromEntries(row.map((cell, index) => [names![index]!, cell])));
  };

  /** An appointment of October 2025 that has been, with a visit, a diagnosis and two treatments. */
  const addVisit = async (doctor: number, patient: number, startsAt: string, cost: number): Promise<void> => {
    const appointment = await value(
      api.owner,
      `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
       values ($1, $2, $3, $4, 'completed') returning id`,
      [hospital.patients[patient]!.id, hospital.doctors[doctor]!.id, hospital.typeId, startsAt],
    );
    const visit = await value(
      api.owner,
      `insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
       select id, patient_id, doctor_id, starts_at, ends_at from hospital.appointments where id = $1 returning id`,
      [appointment],
    );
    await api.owner.query(
      `with code as (
         insert into hospital.diagnosis_codes (system, code, description) values ('icd10cm', 'I10', 'Essential hypertension')
         on conflict on constraint diagnosis_codes_system_code_key do update set description = excluded.description returning id
       ),
       diagnosis as (
         insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
         select $1, patient_id, code.id, 1 from code, hospital.visits where visits.id = $1
       ),
       kind as (
         insert into hospital.treatment_types (name) values ('Electrocardiogram') on conflict do nothing
       )
       select`,
      [visit],
    );
    await api.owner.query(
      `insert into hospital.treatments (visit_id, patient_id, type, cost, started_at)
       select id, patient_id, 'Electrocardiogram', $2, started_at from hospital.visits, generate_series(1, 2) where id = $1`,
      [visit, cost],
    );
    visits.push(visit);
  };

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 2, patients: 3 });
    await addVisit(0, 0, '2025-10-01T00:00:00Z', 100);
    await addVisit(0, 1, '2025-10-31T23:30:00Z', 10.5);
    await addVisit(1, 2, '2025-10-15T10:00:00Z', 0.01);
    await addVisit(1, 2, '2025-11-01T00:00:00Z', 1000);
    tokens.patient = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    tokens.doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const jobs = { administrator: 'administrator', billing: 'billing_clerk', reception: 'receptionist', auditor: 'auditor', analyst: 'analyst', nurse: 'nurse' };
    for (const [role, job] of Object.entries(jobs)) {
      tokens[role] = await tokenFor(api.owner, await addStaff(api.owner, hospital, role, job), role);
    }
  });

  test('hold what each reader may see: an administrator all, a doctor and a patient their own', async () => {
    const path = `/reports/appointments.csv?${OCTOBER}`;
    const all = await rowsOf(path, tokens.administrator);
    assert.deepEqual(all.map(({ day }) => day), ['2025-10-01', '2025-10-15', '2025-10-31']);
    assert.deepEqual(new Set((await rowsOf(path, tokens.doctor)).map(({ doctor }) => doctor)), new Set(['Doctor Number 1']));
    const { rows } = await api.owner.query('select mrn from hospital.patients where id = $1', [hospital.patients[0]!.id]);
    assert.deepEqual((await rowsOf(path, tokens.patient)).map((row) => row.record_number), [rows[0].mrn]);
    assert.equal((await rowsOf(path, tokens.reception)).length, 3);
    assert.equal((await rowsOf(path, tokens.billing)).length, 3);
  });

  test('name no patient', async () => {
    for (const name of ['appointments', 'billing']) {
      const { text } = await get(`/reports/${name}.csv?${OCTOBER}`, tokens.administrator);
      assert.doesNotMatch(text, /Patient|Number 3/);
    }
  });

  test('begin with the first local day and end with the last, whatever the time zone', async () => {
    assert.equal((await rowsOf('/reports/appointments.csv?from=2025-10-31&to=2025-10-31', tokens.administrator)).length, 1);
    await api.owner.query(`update hospital.facilities set time_zone = 'Asia/Tokyo'`);
    const days = (await rowsOf('/reports/appointments.csv?from=2025-10-01&to=2025-11-01', tokens.administrator)).map(
      (row) => `${row.day} ${row.time}`,
    );
    await api.owner.query(`update hospital.facilities set time_zone = 'UTC'`);
    assert.deepEqual(days, ['2025-10-01 09:00', '2025-10-15 19:00', '2025-11-01 08:30', '2025-11-01 09:00']);
  });

  test('of billing add price and treatments, for billing and administrators alone, and say nothing of what was done', async () => {
    const price = Number(await value(api.owner, `select price from hospital.appointment_types where code = 'consultation'`));
    const path = `/reports/billing.csv?${OCTOBER}`;
    for (const role of ['billing', 'administrator']) {
      const rows = await rowsOf(path, tokens[role]);
      assert.deepEqual(rows.map(({ treatments }) => Number(treatments)), [200, 0.02, 21]);
      assert.deepEqual(rows.map(({ total }) => Number(total)), [200 + price, 0.02 + price, 21 + price]);
      assert.doesNotMatch((await get(path, tokens[role])).text, /Electrocardiogram/);
    }
    for (const role of ['doctor', 'patient', 'reception', 'nurse', 'auditor', 'analyst']) {
      const answer = await get(path, tokens[role]);
      assert.deepEqual([answer.status, codeOf(answer)], [403, 'FORBIDDEN'], role);
    }
    // What was withdrawn is not charged.
    await api.owner.query(`update hospital.treatments set voided_at = now(), void_reason = 'Wrong patient' where visit_id = $1`, [visits[0]]);
    assert.equal(Number((await rowsOf(path, tokens.billing))[0]!.treatments), 0);
  });

  test('of diagnoses and treatments are of open charts, and none without one', async () => {
    for (const name of ['diagnoses', 'treatments']) {
      const path = `/reports/${name}.csv?${OCTOBER}`;
      const refused = await get(path, tokens.doctor);
      assert.deepEqual([refused.status, codeOf(refused)], [403, 'NOT_OPEN']);
      for (const role of ['administrator', 'billing', 'reception', 'auditor', 'analyst']) {
        assert.equal(codeOf(await get(path, tokens[role])), 'FORBIDDEN', role);
      }
    }
    await api.call('openChart', { patientId: hospital.patients[1]!.id, purpose: 'treatment' }, tokens.doctor);
    const diagnoses = await rowsOf(`/reports/diagnoses.csv?${OCTOBER}`, tokens.doctor);
    assert.deepEqual(diagnoses.map(({ day, code }) => [day, code]), [['2025-10-31', 'I10']]);
    assert.equal((await rowsOf(`/reports/treatments.csv?${OCTOBER}`, tokens.doctor)).length, 2);
    assert.equal((await rowsOf(`/reports/diagnoses.csv?${OCTOBER}`, tokens.patient)).length, 1);
  });

  test('of accesses are the auditor’s, once he has said why', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const path = `/reports/accesses.csv?from=${today}&to=${today}`;
    assert.equal(codeOf(await get(path, tokens.auditor)), 'NOT_OPEN');
    await api.call('openAudit', { reason: 'Yearly review of accesses.' }, tokens.auditor);
    await api.call('openChart', { patientId: hospital.patients[0]!.id, purpose: 'treatment' }, tokens.doctor);
    const yesterday = new Date(Date.parse(today) - 86_400_000).toISOString().slice(0, 10);
    const tomorrow = new Date(Date.parse(today) + 86_400_000).toISOString().slice(0, 10);
    const rows = await rowsOf(`/reports/accesses.csv?from=${yesterday}&to=${tomorrow}`, tokens.auditor);
    const { rows: recorded } = await api.owner.query('select count(*)::integer as count from audit.chart_accesses');
    assert.ok(rows.length > 0);
    assert.equal(rows.length, recorded[0].count);
    assert.equal(codeOf(await get(path, tokens.administrator)), 'FORBIDDEN');
  });

  test('are refused without a session, with one that ended, and to another site, by code', async () => {
    const path = `/reports/appointments.csv?${OCTOBER}`;
    for (const answer of [await get(path), await get(path, 'nonsense')]) {
      assert.deepEqual([answer.status, codeOf(answer)], [401, 'UNAUTHENTICATED']);
    }
    const ended = await tokenFor(api.owner, hospital.doctors[1]!, 'doctor');
    await api.call('logOut', {}, ended);
    for (const format of ['csv', 'pdf']) {
      assert.equal(codeOf(await get(`/reports/appointments.${format}?${OCTOBER}`, ended)), 'UNAUTHENTICATED');
    }
    assert.equal(codeOf(await get(path, tokens.doctor, { origin: 'https://evil.example' })), 'ORIGIN_REFUSED');
    assert.equal(codeOf(await get(path, tokens.doctor, { 'sec-fetch-site': 'cross-site' })), 'ORIGIN_REFUSED');
    const posted = await fetch(new URL(path, api.url), { method: 'POST' });
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET']);
  });

  test('are had with the cookie of a session, too', async () => {
    const url = new URL(api.url);
    const login = await fetch(new URL('/session', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url.origin },
      body: JSON.stringify({ email: hospital.doctors[0]!.email, password: PASSWORD }),
    });
    const cookie = login.headers.getSetCookie().map((one) => one.split(';', 1)[0]).join('; ');
    const answer = await get(`/reports/appointments.csv?${OCTOBER}`, undefined, { cookie });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(parseCsv(answer.text).length, 3);
  });

  test('are refused for what is no period and no report, by code', async () => {
    const code = async (query: string, name = 'appointments'): Promise<string> =>
      codeOf(await get(`/reports/${name}.csv?${query}`, tokens.administrator));
    assert.equal(await code(''), 'BAD_REQUEST');
    assert.equal(await code('from=2025-10-01'), 'BAD_REQUEST');
    assert.equal(await code('from=today&to=tomorrow'), 'BAD_REQUEST');
    assert.equal(await code(`${OCTOBER}&from=2025-10-02`), 'BAD_REQUEST');
    assert.equal(await code(`${OCTOBER}&patient=7`), 'BAD_REQUEST');
    assert.equal(await code(`${OCTOBER}&department=x`), 'BAD_REQUEST');
    assert.equal(await code(`${OCTOBER}&department=999999`), 'NOT_FOUND');
    assert.equal(await code('from=2025-02-30&to=2025-03-01'), 'BAD_VALUE');
    assert.equal(await code('from=2025-10-31&to=2025-10-01'), 'PERIOD_REFUSED');
    assert.equal(await code('from=2025-01-01&to=2026-01-02'), 'PERIOD_REFUSED');
    assert.equal(await code(OCTOBER, 'salaries'), 'NOT_FOUND');
    const occupancy = await get(`/reports/occupancy.csv?${OCTOBER}`, tokens.administrator);
    assert.deepEqual([occupancy.status, codeOf(occupancy)], [404, 'NOT_FOUND']);
    assert.match(occupancy.text, /comes with admissions and beds/);
  });

  test('hold nothing a spreadsheet would run, and the same can be read out of them again', async () => {
    const names = ['=HYPERLINK("http://evil")', '+1', '-1', '@x', '\tx', "'=1", "O'Hara", 'a, "b"', '＝1'];
    for (const name of names) {
      await api.owner.query('update hospital.departments set name = $1 where id = $2', [name, hospital.departmentId]);
      const [row] = await rowsOf(`/reports/billing.csv?${OCTOBER}`, tokens.billing);
      assert.doesNotMatch(row!.department!, /^[=+\-@\t\r＝]/, name);
      assert.equal(row!.department!.replace(/^'(?='*[=+\-@\t\r\n＝＋－＠])/, ''), name);
    }
    await api.owner.query(`update hospital.departments set name = 'Cardiology' where id = $1`, [hospital.departmentId]);
  });

  test('are files whose names and titles name nobody', async () => {
    const pdf = await get(`/reports/appointments.pdf?${OCTOBER}`, tokens.patient);
    assert.equal(pdf.status, 200);
    assert.equal(pdf.headers.get('content-type'), 'application/pdf');
    assert.equal(pdf.headers.get('content-disposition'), 'attachment; filename="appointments-2025-10-01-to-2025-10-31.pdf"');
    assert.equal(pdf.headers.get('cache-control'), 'no-store');
    assert.equal(pdf.body.subarray(0, 5).toString(), '%PDF-');
    assert.doesNotMatch(pdf.body.toString('latin1'), /Patient|Number 1/);
    const csv = await get(`/reports/appointments.csv?${OCTOBER}`, tokens.patient);
    assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
  });

  test('leave no path of theirs and no question in the log', async () => {
    const logging = await startApi({ accessLog: true });
    const written: string[] = [];
    const stderr = mock.method(process.stderr, 'write', (line: string) => written.push(line) > 0);
    await fetch(new URL(`/reports/appointments.csv?${OCTOBER}&department=4711`, logging.url));
    await fetch(new URL(`/reports/monthly/ann-2025-10.pdf`, logging.url));
    stderr.mock.restore();
    assert.deepEqual(written.map((line) => JSON.parse(line).path), ['/reports', '/reports']);
    assert.doesNotMatch(written.join(''), /4711|2025|ann/);
  });

  test('are all of one moment, and change nothing', async () => {
    const seen: string[] = [];
    const watching = await startApi();
    const own = await furnish(watching.owner, { doctors: 1, patients: 1 });
    const token = await tokenFor(watching.owner, own.doctors[0]!, 'doctor');
    await watching.owner.query(
      `create function hospital_private.isolation() returns text language sql as $$ select current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only') $$`,
    );
    await watching.owner.query('grant execute on function hospital_private.isolation() to hospital_doctor');
    await watching.owner.query(
      `create or replace function hospital_private.report_appointments(from_date date, until_date date, department_id bigint default null)
       returns table (day date, "time" text, facility text, department text, doctor text, record_number text, type text, minutes integer, status text, cancellation_reason text)
       language sql stable as $$ select null::date, null, null, hospital_private.isolation(), null, null, null, 1, null, null $$`,
    );
    const response = await fetch(new URL(`/reports/appointments.csv?${OCTOBER}`, watching.url), { headers: { authorization: `Bearer ${token}` } });
    seen.push(parseCsv(await response.text())[1]![3]!);
    assert.deepEqual(seen, ['repeatable read on']);
  });

  test('wait for a slow client no longer than they may, and are made one at a time for a session, four in all', async () => {
    const slow = await startApi({ patience: { report: 10_000 } });
    const own = await furnish(slow.owner, { doctors: 1, patients: 1 });
    const token = (): Promise<string> => tokenFor(slow.owner, own.doctors[0]!, 'doctor');
    // More than the buffers of a socket hold.
    await slow.owner.query(
      `create or replace function hospital_private.report_appointments(from_date date, until_date date, department_id bigint default null)
       returns table (day date, "time" text, facility text, department text, doctor text, record_number text, type text, minutes integer, status text, cancellation_reason text)
       language sql stable as $$ select from_date, '10:00', repeat('x', 1000), null, null, null, null, 1, null, null from generate_series(1, 40000) $$`,
    );
    const ask = async (own: string): Promise<Response> =>
      fetch(new URL(`/reports/appointments.csv?${OCTOBER}`, slow.url), { headers: { authorization: `Bearer ${own}` } });
    /** Reads the beginning, and the rest when it is told to: `rest` is the end of what came. */
    const readSlowly = (own: string): Promise<{ head: string; rest: () => Promise<string> }> =>
      new Promise((resolve) => {
        const socket = connect(Number(new URL(slow.url).port), '127.0.0.1', () => {
          socket.write(`GET /reports/appointments.csv?${OCTOBER} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${own}\r\n\r\n`);
        });
        const closed = new Promise<void>((done) => socket.on('close', () => done()));
        socket.on('error', () => {});
        socket.once('data', (first) => {
          socket.pause();
          let end = '';
          socket.on('data', (more) => (end = (end + more.toString('latin1')).slice(-5)));
          resolve({ head: first.toString('latin1'), rest: async () => (socket.resume(), await closed, end) });
        });
      });

    const sessions = await Promise.all([1, 2, 3, 4, 5].map(token));
    const readers = await Promise.all(sessions.slice(0, 4).map(readSlowly));
    for (const { head } of readers) assert.match(head, /^HTTP\/1\.1 200/);
    for (const session of [sessions[0]!, sessions[4]!]) {
      const refused = await ask(session);
      assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5']);
      assert.equal(codeOf({ text: await refused.text() }), 'TOO_MANY_REPORTS');
    }
    // They are given up, and then there is room; one who goes away in the middle makes room, too.
    let next: Response;
    for (next = await ask(sessions[4]!); next.status === 429; next = await ask(sessions[4]!)) await next.text();
    assert.equal(next.status, 200);
    await next.body!.cancel();
    for (const { rest } of readers) assert.notEqual(await rest(), '0\r\n\r\n', 'what was broken off does not look finished');
    // No connection is left behind.
    const figures = async (): Promise<{ total: number; idle: number }> =>
      ((await (await fetch(new URL('/readyz', slow.url))).json()) as { pool: { total: number; idle: number } }).pool;
    for (let pool = await figures(); pool.idle < pool.total; ) pool = await figures();
  });

  test('of more rows than anybody reads on paper are refused as PDF and given as CSV', async () => {
    const long = await startApi();
    const own = await furnish(long.owner, { doctors: 1, patients: 1 });
    const token = await tokenFor(long.owner, own.doctors[0]!, 'doctor');
    await long.owner.query(
      `create or replace function hospital_private.report_appointments(from_date date, until_date date, department_id bigint default null)
       returns table (day date, "time" text, facility text, department text, doctor text, record_number text, type text, minutes integer, status text, cancellation_reason text)
       language sql stable as $$ select from_date, '10:00', 'x', null, null, null, null, 1, null, null from generate_series(1, 5001) $$`,
    );
    const ask = async (format: string): Promise<Response> =>
      fetch(new URL(`/reports/appointments.${format}?${OCTOBER}`, long.url), { headers: { authorization: `Bearer ${token}` } });
    assert.equal(codeOf({ text: await (await ask('pdf')).text() }), 'REPORT_TOO_LONG');
    assert.equal(parseCsv(await (await ask('csv')).text()).length, 5002);
  });
});
