ALTER TABLE "settings"."endpoints" DROP CONSTRAINT "endpoints_agent_id_agents_agent_id_fk";
--> statement-breakpoint
ALTER TABLE "settings"."endpoints" ALTER COLUMN "agent_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."companies" ADD COLUMN "gaps" text DEFAULT 'remove' NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."companies" ADD COLUMN "longest_pause_ms" integer DEFAULT 600000 NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."companies" ADD COLUMN "after_longest_pause" text DEFAULT 'none' NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."companies" ADD COLUMN "retention_days" integer;--> statement-breakpoint
ALTER TABLE "settings"."companies" ADD COLUMN "minimum_length_ms" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."companies" ADD COLUMN "country" text;--> statement-breakpoint
ALTER TABLE "settings"."credentials" ADD COLUMN "scopes" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."credentials" ADD COLUMN "prefix" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "settings"."endpoints" ADD CONSTRAINT "endpoints_agent_id_agents_agent_id_fk" FOREIGN KEY ("agent_id") REFERENCES "settings"."agents"("agent_id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "endpoints_company_id_index" ON "settings"."endpoints" USING btree ("company_id");