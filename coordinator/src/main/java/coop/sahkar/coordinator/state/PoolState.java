package coop.sahkar.coordinator.state;

import coop.sahkar.governance.Policy;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Everything the coordinators agree on. Immutable; only {@link Transition} makes the next one. Maps
 * are sorted, so that every coordinator walks them in the same order.
 *
 * @param policy the rules in force
 * @param workers every worker the pool knows, by id; present or not
 * @param models every published model, by id
 * @param placement the placement in force
 * @param ticketKeys the keys that sign session tickets, by key id
 * @param recent the commands applied last, oldest first, at most {@link Transition#MAX_RECENT}: a
 *     command that is sent again is answered from here and not applied again
 * @param members who has joined the co-operative, and who may
 */
public record PoolState(
        Policy policy,
        SortedMap<String, WorkerRecord> workers,
        SortedMap<String, ModelRecord> models,
        Placement placement,
        SortedMap<String, TicketKeyRecord> ticketKeys,
        List<AppliedCommand> recent,
        Membership members) {

    /** A new pool. */
    public static final PoolState EMPTY =
            new PoolState(
                    Policy.DEFAULT,
                    new TreeMap<>(),
                    new TreeMap<>(),
                    Placement.EMPTY,
                    new TreeMap<>(),
                    List.of(),
                    Membership.EMPTY);

    /** A state in which nobody has joined with a certificate. */
    public PoolState(
            Policy policy,
            SortedMap<String, WorkerRecord> workers,
            SortedMap<String, ModelRecord> models,
            Placement placement,
            SortedMap<String, TicketKeyRecord> ticketKeys,
            List<AppliedCommand> recent) {
        this(policy, workers, models, placement, ticketKeys, recent, Membership.EMPTY);
    }

    public PoolState {
        workers = Collections.unmodifiableSortedMap(new TreeMap<>(workers));
        models = Collections.unmodifiableSortedMap(new TreeMap<>(models));
        ticketKeys = Collections.unmodifiableSortedMap(new TreeMap<>(ticketKeys));
        recent = List.copyOf(recent);
    }

    /** The models that {@code idOrName} can mean: none, one, or several of the same name. */
    public List<ModelRecord> modelsNamed(String idOrName) {
        ModelRecord exact = models.get(idOrName);
        if (exact != null) {
            return List.of(exact);
        }
        return models.values().stream().filter(m -> m.manifest().name().equals(idOrName)).toList();
    }
}
