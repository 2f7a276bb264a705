using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class ClassVectorsTests
{
    [Fact]
    public void The_rows_of_the_classes_are_read_in_their_order()
    {
        using TemporaryFolder folder = new();
        string path = TestModel.Write(folder["v.safetensors"], DType.F32, ("v", new(3, 2), [1, 2, 3, 4, 5, 6]), ("note", new(1), [0]));
        Assert.Equal([1, 2, 3, 4, 5, 6], ClassVectors.Read(path).Span.ToArray());
        Tensor chosen = ClassVectors.Read(path, [2, 0]);
        Assert.Equal(new(2, 2), chosen.Shape);
        Assert.Equal([5, 6, 1, 2], chosen.Span.ToArray());
        Assert.Contains("none for class 3", Assert.Throws<InvalidDataException>(() => ClassVectors.Read(path, [3])).Message);
    }

    [Fact]
    public void A_file_without_one_matrix_is_refused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("has 0 matrices", Assert.Throws<InvalidDataException>(() => ClassVectors.Read(TestModel.Write(folder["a.safetensors"], DType.F32, ("v", new(2), [1, 2])))).Message);
        Assert.Contains("has 2 matrices", Assert.Throws<InvalidDataException>(() => ClassVectors.Read(TestModel.Write(folder["b.safetensors"], DType.F32, ("v", new(1, 1), [1]), ("w", new(1, 1), [1])))).Message);
    }
}
