package coop.sahkar.coordinator.control;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.GiveNotice;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WithdrawalLoopTest {
    private static final ModelManifest TINY = Fixtures.model("tiny", 4);
    private static final long WEEK = 7L * 24 * 60 * 60 * 1_000;

    private PoolState state = PoolState.EMPTY;

    /** Notice over or not, answers under way or not, so long after. */
    @ParameterizedTest
    @CsvSource({
        "true, false, -1, false",
        "true, false, 0, true",
        "true, true, 0, false",
        "true, true, 599999, false",
        "true, true, 600000, true",
        "false, false, 600000, false"
    })
    void itGoesWhenItsAnswersHaveEnded(boolean noticed, boolean answers, long after, boolean goes) {
        apply(new PublishModel(TINY, List.of("http://h/f"), 0, 1));
        apply(new GiveNotice(TINY.id(), 0, noticed ? WEEK : 0));
        assertThat(WithdrawalLoop.due(state, _ -> answers, WEEK + after))
                .isEqualTo(goes ? List.of(TINY.id()) : List.of());
    }

    private void apply(Command command) {
        CommandId id = new CommandId(1, state.recent().size());
        Outcome outcome = Transition.apply(state, new LoggedCommand(id, command));
        assertThat(outcome.refusal()).isNull();
        state = outcome.state();
    }
}
