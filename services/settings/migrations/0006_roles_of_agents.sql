ALTER TABLE "settings"."agents" ADD COLUMN "roles" text[] DEFAULT '{"agent"}' NOT NULL;--> statement-breakpoint
UPDATE "settings"."agents" SET "roles" = "had"."roles" FROM (
  SELECT "agent_id", array_agg(DISTINCT "role") AS "roles" FROM (
    SELECT "agent_id", unnest("roles") AS "role" FROM "settings"."credentials" WHERE "kind" = 'api-token' AND "revoked_at" IS NULL AND "agent_id" IS NOT NULL
    UNION SELECT "agent_id", 'agent' FROM "settings"."agents"
  ) AS "of_keys" WHERE "role" <> 'service' GROUP BY "agent_id"
) AS "had" WHERE "had"."agent_id" = "agents"."agent_id" AND "had"."roles" <> ARRAY['agent'];
