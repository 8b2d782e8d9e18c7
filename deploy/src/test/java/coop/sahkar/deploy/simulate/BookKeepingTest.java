package coop.sahkar.deploy.simulate;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import coop.sahkar.coordinator.usage.Use;
import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** That each check of the ledger's can fail. */
class BookKeepingTest {
    private final BookKeeping books = new BookKeeping();
    private PoolState state = PoolState.EMPTY;

    @Test
    void whatIsCountedAndPostedOnceIsFine() {
        books.used("c", 1, use(10));
        post(1, 10);
        assertThatCode(() -> books.settled("c", 1)).doesNotThrowAnyException();
    }

    @Test
    void workThatIsPostedTwiceIsNoticed() {
        books.used("c", 1, use(10));
        post(1, 10);
        assertThatThrownBy(() -> post(2, 10)).hasMessageContaining("only");
    }

    @Test
    void workThatIsNeverPostedIsNoticed() {
        books.used("c", 1, use(10));
        assertThatThrownBy(() -> books.settled("c", 1)).hasMessageContaining("is in the ledger");
    }

    private void post(long sequence, long tokens) {
        TreeMap<String, Work> payers = new TreeMap<>();
        payers.put("a", Work.of(0, tokens, 4));
        UsageBatch batch =
                new UsageBatch("c", 1, sequence, 5, payers, new TreeMap<>(), payers.get("a"));
        PostUsage command = new PostUsage(batch);
        LoggedCommand logged = new LoggedCommand(new CommandId(0, sequence), command);
        Outcome outcome = Transition.apply(state, logged);
        books.applied(state, command, outcome);
        state = outcome.state();
    }

    private static Use use(long tokens) {
        return new Use("a", "m@d", 4, 1, List.of(), 0, tokens);
    }
}
