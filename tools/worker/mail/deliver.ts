import type { Pool, PoolClient } from 'pg';
import { logEvent } from '../../api/log.ts';
import { DeliveryError, type Mailer, type Message, Overtaken } from './mailer.ts';

type Outcome = 'sent' | 'not sent' | 'nothing to do';

/**
 * Sends what waits in the outbox, one message a transaction, and returns how many a server has taken. A letter that
 * is refused waits for its next turn; a server that refuses us, or says nothing, ends the run.
 * @throws DeliveryError when no letter could be sent
 */
export async function deliver(pool: Pool, mailer: Mailer, signal?: AbortSignal): Promise<number> {
  const giveUp = (): void => mailer.close();
  signal?.addEventListener('abort', giveUp);
  try {
    for (let sent = 0; ; ) {
      signal?.throwIfAborted();
      const outcome = await deliverNext(pool, mailer);
      if (outcome === 'nothing to do') return sent;
      if (outcome === 'sent') sent += 1;
    }
  } finally {
    signal?.removeEventListener('abort', giveUp);
    mailer.close();
  }
}

async function deliverNext(pool: Pool, mailer: Mailer): Promise<Outcome> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const { rows } = await client.query<Message>('select (ops.claim_notification()).*');
    const message = rows[0];
    const outcome = message?.id ? await deliverOne(client, mailer, message) : 'nothing to do';
    await client.query('commit');
    if (outcome instanceof DeliveryError) throw outcome;
    return outcome;
  } catch (error) {
    await client.query('rollback').catch((lost: Error) => (broken = lost));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** What became of it is written in the transaction that claimed it. An error is returned where the run should end. */
async function deliverOne(client: PoolClient, mailer: Mailer, message: Message): Promise<Outcome | DeliveryError> {
  try {
    await mailer.send(message, async () => {
      const { rows } = await client.query('select ops.is_still_to_be_sent($1) as is_true', [message.id]);
      return rows[0].is_true;
    });
  } catch (error) {
    if (error instanceof Overtaken) return 'not sent';
    if (!(error instanceof DeliveryError)) throw error;
    await client.query('select ops.note_delivery_failure($1, $2, $3)', [message.id, error.code, error.isPermanent]);
    logEvent('error', 'mail_not_taken', { notificationId: message.id, code: error.code });
    return error.isAboutTheLetter ? 'not sent' : error;
  }
  await client.query('select ops.mark_notification_sent($1)', [message.id]);
  return 'sent';
}
