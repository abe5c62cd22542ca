import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { Pool } from 'pg';
import { deliver } from '../../tools/worker/mail/deliver.ts';
import { DeliveryError, Mailer } from '../../tools/worker/mail/mailer.ts';
import { openPool } from '../../tools/worker/pool.ts';
import { sendNotifications } from '../../tools/worker/tasks/send_notifications.ts';
import { type MailServer, startMailServer } from '../support/mail.ts';
import { openHospital, spawnWork, until, type WorkerHospital } from '../support/worker.ts';

const impatience = { silence: 400, message: 1_500 };

interface Post extends WorkerHospital {
  pool: Pool;
  /** Books an appointment and writes the message that tells it to a patient with an address. */
  write(address?: string): Promise<{ appointment: string; id: string; messageId: string }>;
  run(server: Pick<MailServer, 'settings'>, patience?: typeof impatience): Promise<number>;
  /** The codes of what failed, and whether the message waits, was sent, or was given up. */
  states(): Promise<unknown[]>;
  /** Makes what failed due again. */
  hurry(): Promise<void>;
}

let hours = 2;

async function openPost(t: TestContext): Promise<Post> {
  const hospital = await openHospital(0);
  const pool = openPool(hospital.url);
  t.after(async () => {
    await pool.end();
    await hospital.close();
  });
  return {
    ...hospital,
    pool,
    write: async (address = `${randomUUID()}@patients.example`) => {
      const appointment = await hospital.book(((hours += 1) % 20) + 2);
      await hospital.owner.query(
        `insert into hospital.contact_points (patient_id, kind, value)
         select patient_id, 'email', $2 from hospital.appointments where id = $1 and $2 <> ''`,
        [appointment, address],
      );
      const { rows } = await hospital.owner.query(
        `insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
         select hospital_private.reminder_reason(id, starts_at), patient_id, id, 'Your appointment', 'Grüße: λ, Ж.'
         from hospital.appointments where id = $1
         returning id, message_id`,
        [appointment],
      );
      return { appointment, id: rows[0].id, messageId: `<${rows[0].message_id}@harbor.example>` };
    },
    run: ({ settings }, patience) => deliver(pool, new Mailer(settings, patience)),
    states: () =>
      hospital.column(
        `select concat_ws(' ', case when n.sent_at is not null then 'sent' when n.withdrawn_at is not null then 'withdrawn' else 'waits' end,
           f.attempts, f.last_code, case when f.attempts > 0 and f.next_attempt_at is null then 'given up' end)
         from hospital.notifications as n
         left join ops.delivery_failures as f on f.notification_id = n.id
         order by n.id`,
      ),
    hurry: async () => {
      await hospital.owner.query(
        'update ops.delivery_failures set next_attempt_at = now() where next_attempt_at is not null',
      );
    },
  };
}

/** A server that listens and does what it is told with each connection. */
async function startRawServer(t: TestContext, talk: (socket: Socket) => void): Promise<Pick<MailServer, 'settings'>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const fromAddress = 'no-reply@harbor.example';
  return {
    settings: { host: '127.0.0.1', port: (server.address() as AddressInfo).port, isSecure: false, from: fromAddress, fromAddress },
  };
}

const startMail = async (t: TestContext, options?: Parameters<typeof startMailServer>[0]): Promise<MailServer> => {
  const server = await startMailServer(options);
  t.after(() => server.close());
  return server;
};

const failsWith = (code: string | RegExp) => (error: unknown): boolean => {
  assert.ok(error instanceof DeliveryError);
  assert.match(error.code, new RegExp(code));
  return true;
};

describe('the post', { concurrency: 2 }, () => {
  test('is delivered, each letter once, to its patient, under the identifier of its row', async (t) => {
    const [post, server] = [await openPost(t), await startMail(t)];
    const written = [await post.write('ann@patients.example'), await post.write(), await post.write()];
    assert.equal(await post.run(server), 3);
    assert.equal(await post.run(server), 0);
    assert.deepEqual(server.letters.map((letter) => letter.messageId), written.map(({ messageId }) => messageId));
    const [letter] = server.letters;
    assert.deepEqual(letter!.to, ['ann@patients.example']);
    assert.match(letter!.raw, /^To: ann@patients\.example\r?$/m);
    assert.match(letter!.raw, /^From: Harbor Hospital <no-reply@harbor\.example>\r?$/m);
    assert.match(letter!.raw, /^Auto-Submitted: auto-generated\r?$/m);
    assert.match(letter!.raw, /Gr=C3=BC=C3=9Fe: =CE=BB, =D0=96\.|R3LDvMOfZTog/);
    assert.deepEqual(await post.states(), ['sent', 'sent', 'sent']);
  });

  test('is sent by three workers at once, each letter once', async (t) => {
    const [post, server] = [await openPost(t), await startMail(t)];
    const written = [];
    for (let n = 0; n < 12; n += 1) written.push(await post.write());
    const sent = await Promise.all([1, 2, 3].map(() => post.run(server)));
    assert.equal(sent.reduce((sum, count) => sum + count), 12);
    assert.deepEqual(
      server.letters.map(({ messageId }) => messageId).sort(),
      written.map(({ messageId }) => messageId).sort(),
    );
  });

  test('waits, visibly, where no mail server is configured', async (t) => {
    const post = await openPost(t);
    await post.write();
    await post.write('');
    assert.equal(await sendNotifications.work(undefined as never, { pool: post.pool, signal: undefined }), 0);
    assert.deepEqual(await post.states(), ['waits', 'waits']);
    assert.deepEqual(await post.column('select state from ops.message_queue order by 1'), ['waiting', 'without an address']);
  });

  test('goes out again, under the same identifier, when the server dies between the letter and its reply', async (t) => {
    const post = await openPost(t);
    let dies = true;
    const seen: string[] = [];
    const server = await startMail(t, {
      onLetter: ({ messageId }, accept, cut) => {
        seen.push(messageId);
        if (dies) cut();
        else accept();
      },
    });
    const { messageId } = await post.write();
    await assert.rejects(post.run(server), failsWith('ECONNECTION'));
    assert.deepEqual(await post.states(), ['waits 1 ECONNECTION']);
    assert.equal(await post.run(server), 0, 'not before its time');
    dies = false;
    await post.hurry();
    assert.equal(await post.run(server), 1);
    assert.deepEqual(seen, [messageId, messageId]);
    assert.deepEqual(await post.states(), ['sent']);
  });

  test('goes out again when the worker is killed between the reply and the commit', async (t) => {
    const post = await openPost(t);
    const { messageId } = await post.write();
    // The server has the letter, and the transaction that would say so is gone before the reply comes.
    const dying = await startMail(t, {
      onLetter: (_letter, accept) => {
        void post.pool
          .query(`select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = 'hospital_worker' and datname = current_database() and state = 'idle in transaction'`)
          .then(() => accept());
      },
    });
    await assert.rejects(post.run(dying));
    assert.deepEqual(await post.states(), ['waits']);
    const calm = await startMail(t);
    assert.equal(await post.run(calm), 1);
    assert.deepEqual([...dying.letters, ...calm.letters].map((letter) => letter.messageId), [messageId, messageId]);
  });

  test('goes past a letter that is refused, tries that one again, and gives it up when refused eight times', async (t) => {
    const post = await openPost(t);
    await post.write('nobody@patients.example');
    const other = await post.write();
    const server = await startMail(t, {
      onRcptTo: ({ address }, _session, done) => {
        if (address.startsWith('nobody')) return done(Object.assign(new Error('No nobody@patients.example here'), { responseCode: 550 }));
        done();
      },
    });
    assert.equal(await post.run(server), 1);
    assert.deepEqual(server.letters.map(({ messageId }) => messageId), [other.messageId]);
    assert.deepEqual(await post.states(), ['waits 1 550', 'sent']);
    for (let attempt = 2; attempt <= 8; attempt += 1) {
      await post.hurry();
      assert.equal(await post.run(server), 0);
    }
    assert.deepEqual(await post.states(), ['waits 8 550 given up', 'sent']);
    await post.hurry();
    assert.equal(await post.run(server), 0);
    assert.deepEqual(await post.column('select state from ops.message_queue'), ['given up']);
  });

  test('waits longer after each failure, a quarter of an hour at most, and for ever while the server only says not now', async (t) => {
    const post = await openPost(t);
    await post.write();
    const server = await startMail(t, {
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error('Later'), { responseCode: 451 })),
    });
    const pauses: unknown[] = [];
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      assert.equal(await post.run(server), 0);
      pauses.push(...(await post.column(`select extract(epoch from next_attempt_at - last_failed_at)::integer / 60 from ops.delivery_failures`)));
      await post.hurry();
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 15, 15]);
  });

  test('is not held up by a server that hangs: the run ends with a code, and the letter is tried again', async (t) => {
    const post = await openPost(t);
    await post.write();
    const silent = await startRawServer(t, () => {});
    await assert.rejects(post.run(silent, impatience), failsWith('ETIMEDOUT'));
    await post.hurry();
    // One that says a word now and then is never silent.
    const dripping = await startRawServer(t, (socket) => {
      socket.write('220 welcome\r\n');
      const timer = setInterval(() => socket.write('250-still here\r\n'), 100);
      socket.on('close', () => clearInterval(timer));
    });
    await assert.rejects(post.run(dripping, impatience), failsWith('ECONNECTION'));
    await post.hurry();
    const nobody = { settings: { ...silent.settings, port: 1 } };
    await assert.rejects(post.run(nobody, impatience), failsWith('ESOCKET|ECONNECTION'));
    await post.hurry();
    const server = await startMail(t);
    assert.equal(await post.run(server), 1);
  });

  test('blames no letter for a server that refuses the sender or the password', async (t) => {
    const post = await openPost(t);
    await post.write();
    const no = Object.assign(new Error('Not you'), { responseCode: 550 });
    const refusing = await startMail(t, { onMailFrom: (_address, _session, done) => done(no) });
    const locked = await startMail(t, {
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(Object.assign(new Error('Wrong'), { responseCode: 535 })),
    });
    const auth = { user: 'me', pass: 'wrong' };
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await assert.rejects(post.run(refusing), failsWith('EENVELOPE'));
      await post.hurry();
      await assert.rejects(post.run({ settings: { ...locked.settings, auth } }), failsWith('EAUTH'));
      await post.hurry();
    }
    assert.deepEqual(await post.states(), ['waits 18 EAUTH']);
  });

  test('leaves out what was called off, moved, or is past, and who has died', async (t) => {
    const [post, server] = [await openPost(t), await startMail(t)];
    const cancelled = await post.write();
    const moved = await post.write();
    const dead = await post.write();
    const stands = await post.write();
    await post.owner.query(`update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = $1`, [cancelled.appointment]);
    await post.owner.query(`update hospital.appointments set starts_at = starts_at + interval '5 minutes' where id = $1`, [moved.appointment]);
    await post.owner.query(`update hospital.patients set deceased_on = current_date where id = (select patient_id from hospital.appointments where id = $1)`, [dead.appointment]);
    // On whatever path somebody forgot to withdraw them.
    await post.owner.query('update hospital.notifications set withdrawn_at = null');
    assert.equal(await post.run(server), 1);
    assert.deepEqual(server.letters.map(({ messageId }) => messageId), [stands.messageId]);
    await post.pool.query('select ops.withdraw_untrue_notifications()');
    assert.deepEqual(await post.states(), ['withdrawn', 'withdrawn', 'withdrawn', 'sent']);
  });

  test('asks once more when the server is ready: what was called off meanwhile is not sent, and nobody had to wait', async (t) => {
    const post = await openPost(t);
    const first = await post.write();
    const second = await post.write();
    const server = await startMail(t, {
      onRcptTo: (_address, _session, done) => {
        void post.owner
          .query(`update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = $1`, [first.appointment])
          .then(() => done(), done);
      },
    });
    assert.equal(await post.run(server), 1);
    assert.deepEqual(server.letters.map(({ messageId }) => messageId), [second.messageId]);
    assert.deepEqual(await post.states(), ['withdrawn', 'sent']);
  });

  test('counts as sent what was withdrawn after the server had it', async (t) => {
    const post = await openPost(t);
    const { appointment } = await post.write();
    const server = await startMail(t, {
      onLetter: (_letter, accept) => {
        void post.owner
          .query(`update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = $1`, [appointment])
          .then(() => accept());
      },
    });
    assert.equal(await post.run(server), 1);
    assert.deepEqual(await post.states(), ['sent']);
  });

  test('goes unencrypted to this machine only, and to no server whose certificate does not hold', async (t) => {
    const post = await openPost(t);
    await post.write();
    const plain = await startMail(t, { disabledCommands: ['STARTTLS'] });
    // Leads to this machine, and is not known to.
    const elsewhere = { host: '0.0.0.0' };
    await assert.rejects(post.run({ settings: { ...plain.settings, ...elsewhere } }), failsWith('ETLS'));
    await post.hurry();
    const selfSigned = await startMail(t, { hideSTARTTLS: false });
    await assert.rejects(post.run({ settings: { ...selfSigned.settings, ...elsewhere } }), failsWith('ESOCKET|ETLS'));
    assert.deepEqual([...plain.letters, ...selfSigned.letters], []);
  });

  test('makes one recipient of an address with a comma, and no header of a subject with a line break', async (t) => {
    const [post, server] = [await openPost(t), await startMail(t)];
    const { id } = await post.write();
    await post.owner.query(`update hospital.notifications set subject = E'Yours\\r\\nBcc: spy@evil.example' where id = $1`, [id]);
    assert.equal(await post.run(server), 1);
    assert.equal(server.letters[0]!.to.length, 1);
    assert.doesNotMatch(server.letters[0]!.raw, /^Bcc:/m);
  });

  test('is sent by `infirmary work --once` with SMTP_URL and MAIL_FROM, which says neither address nor text', async (t) => {
    const [post, server] = [await openPost(t), await startMail(t)];
    await post.write('ann@patients.example');
    await post.write('nobody@patients.example');
    process.env.SMTP_URL = server.url;
    process.env.MAIL_FROM = server.settings.from;
    const run = spawnWork(post.url, '--once');
    delete process.env.SMTP_URL;
    delete process.env.MAIL_FROM;
    assert.equal(await run.ended, 0, run.said());
    await until(async () => server.letters.length > 0);
    assert.doesNotMatch(run.said(), /patients\.example|appointment on/);
    const runs = await post.column(`select outcome || ' ' || affected_rows from ops.job_runs where job = 'send_notifications'`);
    assert.deepEqual(runs[0], 'succeeded 2');
  });
});
