CREATE SCHEMA "recording_assembly";
--> statement-breakpoint
CREATE TABLE "recording_assembly"."inbox" (
	"event_id" uuid NOT NULL,
	"consumer_group" text NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inbox_pkey" PRIMARY KEY("event_id","consumer_group")
);
--> statement-breakpoint
CREATE TABLE "recording_assembly"."jobs" (
	"job_id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"recording_id" uuid NOT NULL,
	"state" text NOT NULL,
	"payload" jsonb NOT NULL,
	"correlation_id" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"postponements" integer DEFAULT 0 NOT NULL,
	"run_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_id" uuid,
	"lease_expires_at" timestamp with time zone,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "jobs_recording_id_kind_unique" UNIQUE("recording_id","kind")
);
--> statement-breakpoint
CREATE TABLE "recording_assembly"."outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "recording_assembly"."outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
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
CREATE TABLE "recording_assembly"."recordings" (
	"recording_id" uuid PRIMARY KEY NOT NULL,
	"company_id" uuid NOT NULL,
	"agent_ids" uuid[] NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"manifest" jsonb NOT NULL,
	"status" text NOT NULL,
	"reasons" jsonb NOT NULL,
	"duration_ms" double precision,
	"samples" bigint,
	"bytes" bigint,
	"sha256" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recording_assembly"."replica" (
	"topic" text NOT NULL,
	"entity_id" text NOT NULL,
	"type" text NOT NULL,
	"version" bigint NOT NULL,
	"payload" jsonb,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "replica_pkey" PRIMARY KEY("topic","entity_id")
);
--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" ADD CONSTRAINT "jobs_recording_id_recordings_recording_id_fk" FOREIGN KEY ("recording_id") REFERENCES "recording_assembly"."recordings"("recording_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "inbox_received_at_index" ON "recording_assembly"."inbox" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "jobs_state_run_at_index" ON "recording_assembly"."jobs" USING btree ("state","run_at");--> statement-breakpoint
CREATE INDEX "outbox_unpublished_index" ON "recording_assembly"."outbox" USING btree ("id") WHERE published_at is null and parked_at is null;--> statement-breakpoint
CREATE INDEX "outbox_published_at_index" ON "recording_assembly"."outbox" USING btree ("published_at") WHERE published_at is not null;--> statement-breakpoint
CREATE INDEX "recordings_company_id_started_at_index" ON "recording_assembly"."recordings" USING btree ("company_id","started_at" DESC NULLS LAST,"recording_id");--> statement-breakpoint
CREATE INDEX "recordings_started_at_index" ON "recording_assembly"."recordings" USING btree ("started_at" DESC NULLS LAST,"recording_id");--> statement-breakpoint
CREATE INDEX "recordings_agent_ids_index" ON "recording_assembly"."recordings" USING gin ("agent_ids");