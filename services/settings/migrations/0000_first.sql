CREATE SCHEMA "settings";
--> statement-breakpoint
CREATE TABLE "settings"."agents" (
	"agent_id" uuid PRIMARY KEY NOT NULL,
	"company_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"name" text NOT NULL,
	"email" text,
	"endpoints" text[] NOT NULL,
	"recording" jsonb NOT NULL,
	"agent_initiated_pause" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings"."companies" (
	"company_id" uuid PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"name" text NOT NULL,
	"time_zone" text NOT NULL,
	"recording" jsonb NOT NULL,
	"agent_initiated_pause" text NOT NULL,
	"is_recording_locked" boolean NOT NULL,
	"is_pause_locked" boolean NOT NULL,
	"transfers" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings"."credentials" (
	"credential_id" uuid PRIMARY KEY NOT NULL,
	"company_id" uuid NOT NULL,
	"agent_id" uuid,
	"kind" text NOT NULL,
	"label" text NOT NULL,
	"roles" text[] NOT NULL,
	"hash" text NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"version" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credentials_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "settings"."endpoints" (
	"endpoint" text PRIMARY KEY NOT NULL,
	"agent_id" uuid NOT NULL,
	"company_id" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings"."entities" (
	"entity_id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"company_id" uuid NOT NULL,
	"version" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings"."numbers" (
	"number_id" uuid PRIMARY KEY NOT NULL,
	"company_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"number" text NOT NULL,
	"label" text NOT NULL,
	"recording" jsonb NOT NULL,
	"agent_initiated_pause" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "numbers_company_id_number_unique" UNIQUE("company_id","number")
);
--> statement-breakpoint
CREATE TABLE "settings"."outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "settings"."outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"event_id" uuid NOT NULL,
	"topic" text NOT NULL,
	"key" text NOT NULL,
	"type" text NOT NULL,
	"headers" jsonb NOT NULL,
	"payload" jsonb,
	"occurred_at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"parked_at" timestamp with time zone,
	CONSTRAINT "outbox_event_id_unique" UNIQUE("event_id")
);
--> statement-breakpoint
ALTER TABLE "settings"."agents" ADD CONSTRAINT "agents_company_id_companies_company_id_fk" FOREIGN KEY ("company_id") REFERENCES "settings"."companies"("company_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settings"."credentials" ADD CONSTRAINT "credentials_company_id_companies_company_id_fk" FOREIGN KEY ("company_id") REFERENCES "settings"."companies"("company_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settings"."endpoints" ADD CONSTRAINT "endpoints_agent_id_agents_agent_id_fk" FOREIGN KEY ("agent_id") REFERENCES "settings"."agents"("agent_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settings"."endpoints" ADD CONSTRAINT "endpoints_company_id_companies_company_id_fk" FOREIGN KEY ("company_id") REFERENCES "settings"."companies"("company_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settings"."numbers" ADD CONSTRAINT "numbers_company_id_companies_company_id_fk" FOREIGN KEY ("company_id") REFERENCES "settings"."companies"("company_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "agents_company_id_index" ON "settings"."agents" USING btree ("company_id");--> statement-breakpoint
CREATE INDEX "credentials_company_id_index" ON "settings"."credentials" USING btree ("company_id");--> statement-breakpoint
CREATE INDEX "endpoints_agent_id_index" ON "settings"."endpoints" USING btree ("agent_id");--> statement-breakpoint
CREATE INDEX "outbox_unpublished_index" ON "settings"."outbox" USING btree ("id") WHERE published_at is null and parked_at is null;--> statement-breakpoint
CREATE INDEX "outbox_published_at_index" ON "settings"."outbox" USING btree ("published_at") WHERE published_at is not null;