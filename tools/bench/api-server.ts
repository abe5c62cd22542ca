import path from 'node:path';
import { serve } from '../api/server.ts';
import { beServed } from './served.ts';

/* The generated API as it runs in production: only registered documents, with all its limits. */
beServed(async ({ databaseUrl, subscriptionsUrl, jwtKeys, poolSize }) =>
  serve({
    databaseUrl,
    subscriptionsUrl,
    jwtKeys,
    poolSize,
    environment: 'production',
    documentsFolder: path.join(import.meta.dirname, 'documents'),
  }),
);
