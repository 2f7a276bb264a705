using Amalgam.Graphs;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

public class TwoTowerTests
{
    private const string Small = "image=3,16,16;image_hidden=16;image_depth=1;vocabulary=40;length=9;text_hidden=24;text_depth=2;heads=2;expansion=2;embedding=6;temperature=0.1";

    [Theory]
    [InlineData(Small)]
    [InlineData(Small + ";image_encoder=cnn;channels=4,6")]
    public void Embeddings_have_length_one_and_their_products_are_cosines_over_the_temperature(string options)
    {
        Graph graph = ZooModelTests.Build("two_tower", options, 5, 2);
        Executor executor = Run(graph, 3);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(1, Dot(Row(executor["image_embedding"], i), Row(executor["image_embedding"], i)), 1e-5);
            Assert.Equal(1, Dot(Row(executor["text_embedding"], i), Row(executor["text_embedding"], i)), 1e-5);
            for (int j = 0; j < 5; j++)
            {
                double cosine = Dot(Row(executor["image_embedding"], i), Row(executor["text_embedding"], j));
                Assert.Equal(cosine / 0.1, Dot(Row(executor["embedding"], i)[..6], Row(executor["embedding"], j)[6..]), 1e-4);
            }
        }
    }

    [Theory]
    [InlineData("mean")]
    [InlineData("first")]
    public void Each_tower_looks_at_its_own_inputs_and_words_behind_the_end_do_not_count(string pool)
    {
        Graph graph = ZooModelTests.Build("two_tower", $"{Small};pool={pool}", 4, 2);
        Executor executor = Run(graph, 3);
        float[] image = executor["image_embedding"].Span.ToArray(), text = executor["text_embedding"].Span.ToArray();

        executor["image"].Span.Fill(0.5f);
        for (int i = 0; i < executor["input_ids"].Count; i++)
        {
            if (executor["attention_mask"].Span[i] == 0) executor["input_ids"].Span[i] = 39;
        }

        executor.Run();
        Assert.NotEqual(image, executor["image_embedding"].Span.ToArray());
        Assert.Equal(text, executor["text_embedding"].Span.ToArray());
        executor["input_ids"].Span[1] = 38;
        float[] again = executor["image_embedding"].Span.ToArray();
        executor.Run();
        Assert.Equal(again, executor["image_embedding"].Span.ToArray());
        Assert.NotEqual(text, executor["text_embedding"].Span.ToArray());
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public void The_temperature_is_learned_where_that_is_asked_for(string learned)
    {
        Node scale = ZooModelTests.Build("two_tower", $"{Small};learned_temperature={learned}", 1, 0).Parameters["logit_scale"];
        Assert.Equal(learned == "true", scale.Trainable);
        Assert.Equal((1L, Math.Log(10)), (scale.Shape.Count, (double)scale.Value!.Span[0]), (a, b) => a.Item1 == b.Item1 && Math.Abs(a.Item2 - b.Item2) < 1e-6);
    }

    [Fact]
    public void As_it_is_it_takes_captions()
    {
        Graph graph = ZooModel.Find("two_tower").Build(1);
        foreach (var field in new Captions(1).Fields.Where(f => f.Name != "picture")) Assert.Equal(field.Shape.Sizes, graph.Inputs[field.Name].Shape.Sizes[1..]);
        Assert.Equal(Captions.Vocabulary, graph.Parameters["text.embeddings.word_embeddings.weight"].Shape[0]);
    }

    private static Executor Run(Graph graph, int seed)
    {
        Executor executor = new(graph);
        ZooModelTests.Fill(executor, graph, seed);
        executor.Run();
        return executor;
    }

    private static float[] Row(Tensor x, int row) => x.Span.Slice(row * x.Shape.Size(1), x.Shape.Size(1)).ToArray();

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
