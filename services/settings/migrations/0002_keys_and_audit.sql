CREATE TABLE "settings"."audit_chains" (
	"chain" text PRIMARY KEY NOT NULL,
	"length" bigint NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings"."audit_log" (
	"chain" text NOT NULL,
	"seq" bigint NOT NULL,
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "settings"."audit_log_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"audit_id" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"action" text NOT NULL,
	"outcome" text NOT NULL,
	"code" text,
	"agent_id" uuid,
	"credential_id" uuid,
	"call_id" uuid,
	"entry" text NOT NULL,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_log_pkey" PRIMARY KEY("chain","seq"),
	CONSTRAINT "audit_log_audit_id_unique" UNIQUE("audit_id")
);
--> statement-breakpoint
CREATE TABLE "settings"."inbox" (
	"event_id" uuid NOT NULL,
	"consumer_group" text NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inbox_pkey" PRIMARY KEY("event_id","consumer_group")
);
--> statement-breakpoint
CREATE TABLE "settings"."key_sets" (
	"key_set_id" uuid PRIMARY KEY NOT NULL,
	"company_id" uuid,
	"issuer" text NOT NULL,
	"audience" text NOT NULL,
	"jwks_url" text,
	"keys" jsonb NOT NULL,
	"claims" jsonb NOT NULL,
	"roles" jsonb NOT NULL,
	"version" integer NOT NULL,
	"fetched_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "key_sets_company_id_unique" UNIQUE("company_id"),
	CONSTRAINT "key_sets_issuer_audience_unique" UNIQUE("issuer","audience")
);
--> statement-breakpoint
ALTER TABLE "settings"."audit_log" ADD CONSTRAINT "audit_log_chain_audit_chains_chain_fk" FOREIGN KEY ("chain") REFERENCES "settings"."audit_chains"("chain") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settings"."key_sets" ADD CONSTRAINT "key_sets_company_id_companies_company_id_fk" FOREIGN KEY ("company_id") REFERENCES "settings"."companies"("company_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_log_chain_position_index" ON "settings"."audit_log" USING btree ("chain","position");--> statement-breakpoint
CREATE INDEX "audit_log_call_id_index" ON "settings"."audit_log" USING btree ("call_id");--> statement-breakpoint
CREATE INDEX "inbox_received_at_index" ON "settings"."inbox" USING btree ("received_at");--> statement-breakpoint
CREATE FUNCTION "settings"."refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
CREATE TRIGGER "audit_log_is_append_only" BEFORE UPDATE OR DELETE ON "settings"."audit_log" FOR EACH ROW EXECUTE FUNCTION "settings"."refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "audit_log_is_never_truncated" BEFORE TRUNCATE ON "settings"."audit_log" FOR EACH STATEMENT EXECUTE FUNCTION "settings"."refuse_change"();
--> statement-breakpoint
REVOKE UPDATE, DELETE, TRUNCATE ON "settings"."audit_log" FROM CURRENT_USER;
--> statement-breakpoint
REVOKE DELETE, TRUNCATE ON "settings"."audit_chains" FROM CURRENT_USER;
