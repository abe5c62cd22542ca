import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool, type PoolClient } from 'pg';
import { bearerToken, clientAddress, identify } from '../api/identity.ts';
import type { Opened, Opening } from './served.ts';

/** Answers one document inside the request's transaction: the JSON of `data`. */
export type Answering = (client: PoolClient, documentId: string, variables: Record<string, string>) => Promise<string>;

/**
 * The least that a server by hand needs to be as safe as the generated one: it verifies the same token, and sets
 * the same claims in a transaction of the same form, so role and row security are the same.
 */
export async function openOwnServer({ databaseUrl, jwtKeys, poolSize }: Opening, answer: Answering): Promise<Opened> {
  const pool = new Pool({ connectionString: databaseUrl, max: poolSize });
  const respond = async (req: IncomingMessage): Promise<string> => {
    const request = { id: randomUUID(), address: clientAddress(req, false) };
    const { claims } = identify(jwtKeys, bearerToken(req.headers.authorization), request);
    const { documentId, variables } = JSON.parse(await bodyOf(req));
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('select set_config(el->>0, el->>1, true) from json_array_elements($1::json) el', [
        JSON.stringify(Object.entries(claims)),
      ]);
      const data = await answer(client, documentId, variables);
      await client.query('commit');
      return `{"data":${data}}`;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  };
  const server = createServer((req, res) => {
    const send = (status: number, text: string): void => {
      const length = Buffer.byteLength(text);
      res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': length });
      res.end(text);
    };
    respond(req).then(
      (text) => send(200, text),
      () => send(500, '{"errors":[{"message":"It failed."}]}'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
