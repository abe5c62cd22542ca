import pg from 'pg';
import { logEvent } from '../api/log.ts';
import { codeOf } from '../failure.ts';

/** One figure, as the database tells it. */
export interface Figure {
  name: string;
  label: string | null;
  value: number;
}

/** A connection of its own to the database, for its figures. */
export interface Watch {
  /** What is known of the last few seconds; undefined while the database cannot be asked. Never rejects. */
  read(): Promise<readonly Figure[] | undefined>;
  stop(): Promise<void>;
}

/** Milliseconds. A scrape is given up after ten seconds, by default, so all of this fits in. */
const KEPT = 5_000;
const CONNECT_WITHIN = 2_000;
const ANSWER_WITHIN = 4_000;

const question = 'select * from ops.hospital_figures() union all select * from ops.server_figures()';

/**
 * Watches the database through one connection that serves nothing else, so that a scrape takes none from a request, and
 * whoever scrapes without pause asks it no more often than anybody.
 * @param url the database, as hospital_monitor
 * @param kept how long an answer is told again, in milliseconds
 */
export function watchDatabase(url: string, kept = KEPT): Watch {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: CONNECT_WITHIN,
    query_timeout: ANSWER_WITHIN,
    statement_timeout: ANSWER_WITHIN,
    application_name: 'infirmary-metrics',
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));

  let answer: Promise<readonly Figure[] | undefined> | undefined;
  let askedAt = -Infinity;
  let isDown = false;
  const ask = async (): Promise<readonly Figure[] | undefined> => {
    try {
      const { rows } = await pool.query<Figure>(question);
      isDown = false;
      return rows;
    } catch (error) {
      // Once, and not at each scrape: whether the server is away or refuses us.
      if (!isDown && !pool.ending) logEvent('error', 'database_not_watched', { code: codeOf(error) ?? 'TIMEOUT' });
      isDown = true;
      return undefined;
    } finally {
      askedAt = performance.now();
    }
  };
  return {
    read: () => {
      // While it is being asked askedAt is the time of the answer before, so it is not looked at.
      if (answer === undefined || performance.now() - askedAt > kept) {
        askedAt = Infinity;
        answer = ask();
      }
      return answer;
    },
    stop: () => pool.end(),
  };
}
