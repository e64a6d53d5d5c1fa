CREATE SCHEMA "call_control";
--> statement-breakpoint
CREATE TABLE "call_control"."calls" (
	"call_id" uuid PRIMARY KEY NOT NULL,
	"pbx_id" text NOT NULL,
	"company_id" uuid NOT NULL,
	"is_over" boolean NOT NULL,
	"revision" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"state" jsonb NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "call_control"."command_answers" (
	"credential_id" uuid NOT NULL,
	"idempotency_key" text NOT NULL,
	"call_id" uuid NOT NULL,
	"action" text NOT NULL,
	"answer" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "command_answers_pk" PRIMARY KEY("credential_id","idempotency_key")
);
--> statement-breakpoint
CREATE TABLE "call_control"."leases" (
	"pbx_id" text PRIMARY KEY NOT NULL,
	"holder" uuid NOT NULL,
	"epoch" bigint NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "call_control"."outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "call_control"."outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
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
CREATE TABLE "call_control"."pause_intents" (
	"call_id" uuid NOT NULL,
	"revision" integer NOT NULL,
	"cause" jsonb NOT NULL,
	"requested_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "call_control"."replica" (
	"topic" text NOT NULL,
	"entity_id" text NOT NULL,
	"type" text NOT NULL,
	"version" bigint NOT NULL,
	"payload" jsonb,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "replica_pkey" PRIMARY KEY("topic","entity_id")
);
--> statement-breakpoint
CREATE INDEX "calls_open_index" ON "call_control"."calls" USING btree ("pbx_id","is_over");--> statement-breakpoint
CREATE INDEX "command_answers_call_index" ON "call_control"."command_answers" USING btree ("call_id");--> statement-breakpoint
CREATE INDEX "outbox_unpublished_index" ON "call_control"."outbox" USING btree ("id") WHERE published_at is null and parked_at is null;--> statement-breakpoint
CREATE INDEX "outbox_published_at_index" ON "call_control"."outbox" USING btree ("published_at") WHERE published_at is not null;--> statement-breakpoint
CREATE INDEX "pause_intents_call_index" ON "call_control"."pause_intents" USING btree ("call_id");