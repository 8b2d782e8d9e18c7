package coop.sahkar.deploy.demo;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Span;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChainPictureTest {

    @Test
    void drawsTheChainAndTheWayBack() {
        String picture =
                ChainPicture.draw(
                        List.of(
                                new ChainPicture.Link("worker-1", 101, new Span(0, 2)),
                                new ChainPicture.Link("worker-2", 102, new Span(2, 6))));
        assertThat(picture.lines())
                .startsWith(
                        "  +------------+     +------------+",
                        "  | worker-1   |     | worker-2   |",
                        "  | blocks 0-1 | --> | blocks 2-5 |",
                        "  | pid 101    |     | pid 102    |",
                        "  +------------+     +------------+")
                .last()
                .asString()
                .contains("^-", " tokens ", "-+")
                .hasSizeLessThan(35);
    }

    @Test
    void oneWorkerNeedsNoWayBack() {
        assertThat(ChainPicture.draw(List.of(new ChainPicture.Link("worker-1", 1, new Span(0, 6)))))
                .contains("blocks 0-5")
                .doesNotContain("tokens");
    }
}
