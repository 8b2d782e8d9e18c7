package coop.sahkar.coordinator.state;

import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.ledger.AccountName;
import coop.sahkar.governance.ledger.Ledger;
import coop.sahkar.proto.Tickets;
import java.security.PublicKey;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything the coordinators agree on. Immutable; only {@link Transition} makes the next one. Maps
 * are sorted, so that every coordinator walks them in the same order.
 *
 * @param policy the rules in force
 * @param workers every worker the pool knows, by id; present or not
 * @param models every published model, by id
 * @param placement the placement in force
 * @param ticketKeys the keys that sign session tickets, by key id
 * @param accounts who may ask, with which keys, and how much
 * @param ledger who gave tokens, and who used them
 * @param cluster what the coordinators say of themselves
 * @param members who has joined the co-operative, and who may
 * @param recent the commands applied last, oldest first, at most {@link Transition#MAX_RECENT}: a
 *     command that is sent again is answered from here and not applied again
 */
public record PoolState(
        Policy policy,
        SortedMap<String, WorkerRecord> workers,
        SortedMap<String, ModelRecord> models,
        Placement placement,
        SortedMap<String, TicketKeyRecord> ticketKeys,
        AccountBook accounts,
        Ledger ledger,
        Cluster cluster,
        Membership members,
        List<AppliedCommand> recent) {

    /** A new pool. */
    public static final PoolState EMPTY =
            new PoolState(
                    Policy.DEFAULT,
                    new TreeMap<>(),
                    new TreeMap<>(),
                    Placement.EMPTY,
                    new TreeMap<>(),
                    AccountBook.EMPTY,
                    Ledger.EMPTY,
                    Cluster.EMPTY,
                    Membership.EMPTY,
                    List.of());

    /** A pool of machines and models, without accounts, books, or coordinators that spoke. */
    public PoolState(
            Policy policy,
            SortedMap<String, WorkerRecord> workers,
            SortedMap<String, ModelRecord> models,
            Placement placement,
            SortedMap<String, TicketKeyRecord> ticketKeys,
            List<AppliedCommand> recent) {
        this(
                policy,
                workers,
                models,
                placement,
                ticketKeys,
                AccountBook.EMPTY,
                Ledger.EMPTY,
                Cluster.EMPTY,
                Membership.EMPTY,
                recent);
    }

    public PoolState {
        workers = Collections.unmodifiableSortedMap(new TreeMap<>(workers));
        models = Collections.unmodifiableSortedMap(new TreeMap<>(models));
        ticketKeys = Collections.unmodifiableSortedMap(new TreeMap<>(ticketKeys));
        recent = List.copyOf(recent);
    }

    /** The account of the ledger that a worker earns for. */
    public String accountOf(String workerId) {
        WorkerRecord worker = workers.get(workerId);
        return AccountName.ofWorker(workerId, worker == null ? "" : worker.owner());
    }

    /**
     * The key that tickets and passes under this id are signed with; null when the pool knows none.
     *
     * @throws IllegalArgumentException if what it knows is not an Ed25519 key
     */
    public @Nullable PublicKey ticketKey(String keyId) {
        TicketKeyRecord key = ticketKeys.get(keyId);
        return key == null ? null : Tickets.publicKey(key.publicKey().bytes());
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
