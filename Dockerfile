# The images that docker-compose.yml builds. The last stage, `infirmary`, is the product; `pooler` is PgBouncer as Debian
# packages it, so the one that the tests run; `recovery` has PostgreSQL beside the product, to restore and to practise it.

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /infirmary
COPY package.json package-lock.json .npmrc ./
# Node comes with the image and PostgreSQL is another one, so the copies that npm would bring, which are optional, stay out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts
# Of the page /ruru, which production never serves: more than half of what npm brings.
RUN rm -rf node_modules/monaco-editor node_modules/ruru node_modules/react-aria node_modules/react-stately \
  node_modules/react-dom node_modules/framer-motion node_modules/motion-dom node_modules/@graphiql

FROM debian:12.11-slim AS pooler
RUN apt-get update \
  && apt-get install --yes --no-install-recommends 'pgbouncer=1.18.0-*' \
  && rm -rf /var/lib/apt/lists/*
USER 65534:65534
EXPOSE 6432
CMD ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]

FROM postgres:18.7-bookworm AS recovery
ENV NODE_ENV=production INFIRMARY_HOME=/tmp/infirmary PG_BIN_DIR=/usr/lib/postgresql/18/bin
WORKDIR /infirmary
COPY --from=dependencies /usr/local/bin/node /usr/local/bin/node
COPY --from=dependencies /infirmary/node_modules node_modules
COPY package.json .gmrc ./
COPY migrations/committed migrations/committed
COPY sql/queries sql/queries
COPY tools tools
RUN install -d -o postgres -g postgres -m 0700 /scratch
USER postgres
ENTRYPOINT []
CMD ["node", "tools/cli.ts", "backup", "list"]

FROM node:24.21.0-bookworm-slim AS infirmary
ENV NODE_ENV=production INFIRMARY_HOME=/var/lib/infirmary
WORKDIR /infirmary
COPY --from=dependencies /infirmary/node_modules node_modules
COPY package.json .gmrc ./
COPY migrations/committed migrations/committed
COPY sql/queries sql/queries
COPY tools tools
# New volumes take their owner from here; the archive's is the user of PostgreSQL's image, who restores from it.
RUN install -d -o node -g node -m 0700 /var/lib/infirmary && install -d -o 999 -g 999 -m 0700 /archive
USER node
EXPOSE 5678
CMD ["node", "tools/cli.ts", "serve"]
