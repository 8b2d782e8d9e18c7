package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.limits.UsedSoFar;
import coop.sahkar.governance.PolicySettings;
import coop.sahkar.governance.Tier;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What a pool promises, as JSON: limits, what is kept and for how long, and who sees what. */
final class PolicyPage {
    private final Gate gate;

    PolicyPage(Gate gate) {
        this.gate = gate;
    }

    /** {@code GET /v1/policy}: for everybody, with or without a key. */
    HttpResponse policy() {
        PolicySettings settings = gate.desk().policy();
        ObjectNode page = Json.object();
        page.put("object", "policy");
        page.put("anonymous", settings.access().anonymous());
        ObjectNode tiers = page.putObject("tiers");
        settings.access()
                .tiers()
                .values()
                .forEach(tier -> tiers.set(tier.name(), limits(tier, settings)));
        logged(page.putObject("logged"));
        retained(page.putArray("retained"), settings);
        seen(page.putObject("seen_by"));
        ObjectNode withdrawal = page.putObject("withdrawal");
        withdrawal.put("notice_seconds", 0);
        withdrawal.put(
                "words",
                "The software gives no notice before a model is withdrawn; an operator may give one"
                        + " elsewhere. A withdrawn model takes no new requests, and answers under way"
                        + " may be cut off.");
        return Json.response(200, page);
    }

    private static ObjectNode limits(Tier tier, PolicySettings settings) {
        ObjectNode json = Json.object();
        put(json, "requests_per_minute", tier.requestsPerMinute());
        put(json, "tokens_per_minute", tier.tokensPerMinute());
        put(json, "tokens_per_day", tier.tokensPerDay());
        put(json, "concurrent_sessions", tier.concurrentSessions());
        int most = settings.policy().maxSessionPositions();
        json.put(
                "context_tokens",
                tier.contextTokens() == 0 ? most : Math.min(most, tier.contextTokens()));
        return json;
    }

    private static void put(ObjectNode json, String name, long limit) {
        if (limit == 0) {
            json.putNull(name);
        } else {
            json.put(name, limit);
        }
    }

    private static void logged(ObjectNode json) {
        json.put("prompts", false);
        json.put("answers", false);
        json.put(
                "words",
                "Logs name workers, sessions and failures, never what was asked or answered.");
    }

    private static void retained(ArrayNode list, PolicySettings settings) {
        list.addObject()
                .put("what", "what was said, with POST /v1/responses unless store is false")
                .put("where", "memory of the coordinator that answered")
                .put("seconds", GatewayLimits.KEPT_RESPONSE_MILLIS / 1_000);
        list.addObject()
                .put("what", "events of a stream asked for with x-sahkar-resumable, once complete")
                .put("where", "memory of the coordinator that answered")
                .put("seconds", GatewayLimits.KEPT_STREAM_MILLIS / 1_000);
        list.addObject()
                .put("what", "the same, when its reader is gone in the middle of it")
                .put("where", "memory of the coordinator that answered")
                .put("seconds", GatewayLimits.DESERTED_STREAM_MILLIS / 1_000);
        list.addObject()
                .put("what", "the state of a finished chat, so that its next turn is quick")
                .put("where", "memory of the workers that answered")
                .put("seconds", settings.policy().restingSessionMillis() / 1_000);
        list.addObject()
                .put("what", "hidden states of an answer under way, from which text can be guessed")
                .put("where", "memory and private files of the workers that answer")
                .put("seconds", 0)
                .put("words", "gone with the answer");
        list.addObject()
                .put("what", "numbers of requests and tokens of each account")
                .put("where", "memory of the coordinators")
                .put("seconds", 24 * 60 * 60);
    }

    private static void seen(ObjectNode json) {
        json.put("coordinator", "prompts and answers, as they pass through the one that is asked");
        json.put(
                "workers",
                "The worker with the first blocks sees prompt and answer as text. The one with the"
                        + " last blocks chooses the answer's tokens. Those between see hidden"
                        + " states, from which text can be guessed.");
        json.put(
                "address",
                "only the coordinator that is asked; workers learn a mark of the account");
    }

    /** {@code GET /v1/usage}: the caller's own; with {@code ?all=true} everybody's. */
    HttpResponse usage(ServiceRequestContext context) {
        Caller caller = Accounts.of(context);
        boolean all = "true".equals(context.queryParam("all"));
        if (all && !caller.operator()) {
            return Json.response(
                    403,
                    OpenAiErrors.json(
                            "Only an operator's key shows what others have used.",
                            "permission_error",
                            "all",
                            "forbidden"));
        }
        Optional<List<UsedSoFar>> used = gate.used().get();
        if (used.isEmpty()) {
            return OpenAiErrors.response(Problems.notLeading());
        }
        ObjectNode page = Json.object();
        page.put("object", "list");
        ArrayNode data = page.putArray("data");
        used.get().stream()
                .filter(one -> all || one.account().equals(caller.account()))
                .forEach(one -> data.add(json(one)));
        return Json.response(200, page);
    }

    private ObjectNode json(UsedSoFar used) {
        ObjectNode json = Json.object();
        json.put("object", "usage");
        json.put("account", gate.desk().nameOf(used.account()));
        json.put("tier", gate.desk().tierOf(used.account()));
        json.put("requests_this_minute", used.requestsThisMinute());
        json.put("tokens_this_minute", used.tokensThisMinute());
        json.put("tokens_today", used.tokensToday());
        json.put("sessions", used.sessions());
        return json;
    }
}
