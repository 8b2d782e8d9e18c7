package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Command.AddKey;
import coop.sahkar.coordinator.state.Command.AddTicketKey;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.AnnounceCoordinator;
import coop.sahkar.coordinator.state.Command.Barrier;
import coop.sahkar.coordinator.state.Command.ChangeAccount;
import coop.sahkar.coordinator.state.Command.ChangePolicy;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.ForgetCoordinator;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Command.GiveNotice;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.NoteDayUsage;
import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.RaiseLevel;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.Command.WithdrawModel;
import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The one door into the replicated state, the same when a command is new and when it is replayed
 * from the log. A pure function: no clock, no random source, no I/O. A command is accepted whole or
 * refused whole, and a refusal is a value: an exception here would stop the coordinator.
 */
public final class Transition {
    /** Workers the pool knows: 10,000 that are present, and room for those who come and go. */
    public static final int MAX_WORKERS = 12_000;

    /** Models the pool holds. */
    public static final int MAX_MODELS = 1000;

    /** Sources of one model. */
    public static final int MAX_SOURCES = 64;

    /** Keys that sign tickets; each coordinator has one. */
    public static final int MAX_TICKET_KEYS = 64;

    /** Commands remembered so that a repeated one is not applied again. */
    public static final int MAX_RECENT = 1024;

    private static final int MAX_KEY_BYTES = 1024;

    private Transition() {}

    /** Applies one command. */
    public static Outcome apply(PoolState state, LoggedCommand logged) {
        if (logged.command() instanceof Barrier) {
            return new Outcome(state, null); // not remembered: that would crowd out others
        }
        for (AppliedCommand earlier : state.recent()) {
            if (earlier.id().equals(logged.id())) {
                return new Outcome(state, earlier.refusal());
            }
        }
        Step step = step(state, logged.command());
        PoolState next = remember(step.state(), new AppliedCommand(logged.id(), step.refusal()));
        return new Outcome(next, step.refusal());
    }

    private static Step step(PoolState state, Command command) {
        return switch (command) {
            case RegisterWorker register -> registerWorker(state, register.worker());
            case ForgetWorker forget -> forgetWorker(state, forget.workerId());
            case PublishModel publish -> publishModel(state, publish);
            case WithdrawModel withdraw -> withdrawModel(state, withdraw.modelId());
            case GiveNotice notice -> NoticeRules.give(state, notice);
            case AdoptPlacement adopt -> adoptPlacement(state, adopt.placement());
            case AddTicketKey add -> addTicketKey(state, add.key());
            case SetPolicy set -> Step.to(StateChange.policy(state, set.policy()));
            case ChangePolicy change -> PolicyRules.change(state, change);
            case Barrier _ -> Step.to(state);
            case IssueToken issue -> MembershipRules.issue(state, issue);
            case EnrolNode enrol -> MembershipRules.enrol(state, enrol);
            case RevokeNode revoke -> MembershipRules.revoke(state, revoke);
            case PutAccount put -> AccountRules.putAccount(state, put.account());
            case ChangeAccount change -> AccountRules.changeAccount(state, change);
            case AddKey add -> AccountRules.addKey(state, add.key());
            case RevokeKey end -> AccountRules.revokeKey(state, end.keyId(), end.atMillis());
            case NoteDayUsage note -> AccountRules.noteDayUsage(state, note.usage());
            case SetAccess set -> AccountRules.setAccess(state, set.access());
            case PostUsage post -> UsageStep.post(state, post.batch());
            case AnnounceCoordinator announce ->
                    ClusterRules.announce(state, announce.coordinator());
            case ForgetCoordinator forget -> ClusterRules.forget(state, forget.id());
            case RaiseLevel raise -> ClusterRules.raise(state, raise.level());
        };
    }

    private static Step registerWorker(PoolState state, WorkerRecord worker) {
        boolean known = state.workers().containsKey(worker.id());
        if (!known && state.workers().size() >= MAX_WORKERS) {
            return Step.refuse(
                    state,
                    Reason.FULL,
                    "the pool knows %s workers already and takes no more".formatted(MAX_WORKERS));
        }
        SortedMap<String, WorkerRecord> workers = new TreeMap<>(state.workers());
        workers.put(worker.id(), worker);
        return Step.to(StateChange.workers(state, workers));
    }

    private static Step forgetWorker(PoolState state, String workerId) {
        if (!state.workers().containsKey(workerId)) {
            return Step.refuse(state, Reason.NOT_FOUND, "no worker is called " + workerId);
        }
        if (!state.placement().of(workerId).isEmpty()) {
            return Step.refuse(
                    state,
                    Reason.STALE,
                    "worker %s still has a part in the placement".formatted(workerId));
        }
        SortedMap<String, WorkerRecord> workers = new TreeMap<>(state.workers());
        workers.remove(workerId);
        return Step.to(StateChange.workers(state, workers));
    }

    private static Step publishModel(PoolState state, PublishModel publish) {
        Optional<String> wrong =
                ManifestRules.problem(publish.manifest()).or(() -> wrongTerms(publish));
        if (wrong.isPresent()) {
            return Step.refuse(state, Reason.INVALID, wrong.get());
        }
        String id = publish.manifest().id();
        ModelRecord known = state.models().get(id);
        if (known == null && state.models().size() >= MAX_MODELS) {
            return Step.refuse(
                    state,
                    Reason.FULL,
                    "the pool holds %s models already; withdraw one first".formatted(MAX_MODELS));
        }
        if (known != null && !known.manifest().equals(publish.manifest())) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    id + " is published already with another manifest; one of the two is wrong");
        }
        ModelRecord record =
                known != null
                        ? known.with(publish.sources(), publish.minStages())
                        : new ModelRecord(
                                publish.manifest(),
                                Footprints.of(publish.manifest()),
                                publish.sources(),
                                publish.minStages(),
                                publish.atMillis(),
                                0);
        SortedMap<String, ModelRecord> models = new TreeMap<>(state.models());
        models.put(id, record);
        return Step.to(StateChange.models(state, models));
    }

    private static Optional<String> wrongTerms(PublishModel publish) {
        if (publish.minStages() < 0 || publish.minStages() > Limits.MAX_STAGES) {
            return Optional.of(
                    "min_stages is %s but must lie between 0 and %s"
                            .formatted(publish.minStages(), Limits.MAX_STAGES));
        }
        if (publish.sources().isEmpty() || publish.sources().size() > MAX_SOURCES) {
            return Optional.of(
                    "a model needs 1 to %s sources where its bytes can be had, not %s"
                            .formatted(MAX_SOURCES, publish.sources().size()));
        }
        for (String source : publish.sources()) {
            if (source.length() > Limits.MAX_ENDPOINT
                    || !source.matches("(https?|sahkar)://[^\\s/]+.*")) {
                String shown = source.substring(0, Math.min(80, source.length()));
                return Optional.of(
                        "the source \"%s\" is not an http, https or sahkar address"
                                .formatted(shown));
            }
        }
        return Optional.empty();
    }

    private static Step withdrawModel(PoolState state, String modelId) {
        if (!state.models().containsKey(modelId)) {
            return Step.refuse(
                    state, Reason.NOT_FOUND, "no model %s is published".formatted(modelId));
        }
        SortedMap<String, ModelRecord> models = new TreeMap<>(state.models());
        models.remove(modelId);
        return Step.to(StateChange.models(state, models));
    }

    private static Step adoptPlacement(PoolState state, Placement placement) {
        Placement current = state.placement();
        if (placement.parent() != current.generation()
                || placement.generation() != current.generation() + 1) {
            return Step.refuse(
                    state,
                    Reason.STALE,
                    "placement %s was made from %s, but %s is in force; plan again"
                            .formatted(
                                    placement.generation(),
                                    placement.parent(),
                                    current.generation()));
        }
        Optional<Refusal> wrong = PlacementRules.problem(state, placement);
        if (wrong.isPresent()) {
            return new Step(state, wrong.get());
        }
        return Step.to(StateChange.placement(state, placement));
    }

    private static Step addTicketKey(PoolState state, TicketKeyRecord key) {
        int bytes = key.publicKey().bytes().length;
        if (key.keyId().isEmpty()
                || key.keyId().length() > Limits.MAX_WORKER_ID
                || bytes == 0
                || bytes > MAX_KEY_BYTES) {
            return Step.refuse(state, Reason.INVALID, "a ticket key needs an id and its bytes");
        }
        SortedMap<String, TicketKeyRecord> keys = new TreeMap<>(state.ticketKeys());
        TicketKeyRecord known = keys.putIfAbsent(key.keyId(), key);
        if (known != null && !known.equals(key)) {
            return Step.refuse(
                    state, Reason.INVALID, "another key is called %s".formatted(key.keyId()));
        }
        if (keys.size() > MAX_TICKET_KEYS) {
            return Step.refuse(
                    state, Reason.FULL, "the pool has %s ticket keys".formatted(MAX_TICKET_KEYS));
        }
        return Step.to(StateChange.ticketKeys(state, keys));
    }

    private static PoolState remember(PoolState state, AppliedCommand applied) {
        List<AppliedCommand> recent = new ArrayList<>(state.recent());
        recent.add(applied);
        int surplus = Math.max(0, recent.size() - MAX_RECENT);
        return StateChange.recent(state, recent.subList(surplus, recent.size()));
    }
}
