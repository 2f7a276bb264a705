using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>What losses refuse.</summary>
public class LossTests
{
    [Theory]
    [InlineData(3, "label 3 of sample 299 is not one of the 3 classes")]
    [InlineData(-1, "label -1 of sample 299")]
    [InlineData(0.5f, "label 0.5 of sample 299")]
    [InlineData(float.NaN, "label NaN of sample 299")]
    public void Refuses_a_label_that_is_no_class(float label, string phrase)
    {
        Tensor logits = new(new Shape(300, 3)), labels = new(new Shape(300)), loss = new(default), gradient = new(logits.Shape);
        labels.Span[^1] = label;
        SoftmaxCrossEntropy op = new();
        Assert.Contains(phrase, Assert.Throws<GraphException>(() => op.Run([logits, labels], loss)).Message, StringComparison.Ordinal);
        Assert.Contains(phrase, Assert.Throws<GraphException>(() => new LossGradient(op).Run([logits, labels, Tensor.Scalar(1)], gradient)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_that_do_not_count_leave_loss_and_gradient_alone()
    {
        Tensor logits = new(new(2, 2), [1, 1, 5, -5]), labels = Tensor.Vector(0, -100), loss = new(default), gradient = new(logits.Shape);
        SoftmaxCrossEntropy op = new();
        op.Run([logits, labels], loss);
        new LossGradient(op).Run([logits, labels, Tensor.Scalar(1)], gradient);
        Assert.Equal(Math.Log(2), loss.Span[0], 1e-6);
        Assert.Equal([-0.5f, 0.5f, 0, 0], gradient.Span.ToArray());
    }

    [Fact]
    public void Refuses_targets_of_another_shape()
    {
        Graph graph = new();
        Node logits = graph.Input("logits", new(4, 3)), labels = graph.Input("labels", new(3));
        Assert.Contains("targets must be labels [4] or distributions [4,3], found [3]", Assert.Throws<GraphException>(() => logits.SoftmaxCrossEntropy(labels)).Message, StringComparison.Ordinal);
    }
}
